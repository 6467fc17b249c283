package admission_test

// gadgets is a definition with what Wukong's has not: a namespace, two versions, embedded objects, nulls.
const gadgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: gadgets.adm.novasphere.dev
spec:
  group: adm.novasphere.dev
  names: {kind: Gadget, plural: gadgets}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 3, maximum: 10}
              note: {type: string, nullable: true}
              label: {type: string}
              step:
                type: integer
                x-kubernetes-validations:
                - {rule: self >= oldSelf, message: step never falls}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string, maxLength: 5}}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {type: string}
                    weight: {type: integer, maximum: 10}
              template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
              config: {type: object, x-kubernetes-preserve-unknown-fields: true}
          status:
            type: object
            default: {seen: -1}
            properties:
              seen: {type: integer}
              phase: {type: string, enum: [Up, Down]}
              notes: {type: array, x-kubernetes-list-type: set, items: {type: string}}
            x-kubernetes-validations:
            - {rule: "!has(self.phase) || self.phase != 'Up' || self.seen >= 0", message: what is up was seen}
  - name: v1beta1
    served: true
    storage: false
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 5}
              old: {type: string}
  - name: v1alpha1
    served: false
    storage: false
    schema:
      openAPIV3Schema: {type: object}
`
