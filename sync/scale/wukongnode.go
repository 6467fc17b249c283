package scale

import (
	"fmt"
	"maps"
)

// nodeRequest is what Metacontroller sends to /node/sync about a node. report is the WukongNode that exists; nil for none.
func (c *cluster) nodeRequest(i int, report object) ([]byte, error) {
	reports := object{}
	if report != nil {
		reports[nodeName(i)] = report
	}
	return encode(object{
		"controller":  decoratorController(),
		"object":      node(i),
		"attachments": object{reportKind: reports},
		"related":     object{stateKind: object{nodeName(i): c.state(i)}},
		"finalizing":  false,
	})
}

// report is the WukongNode of a node, as the hook answers it and Metacontroller stores it.
func (c *cluster) report(i int) (object, error) {
	request, err := c.nodeRequest(i, nil)
	if err != nil {
		return nil, err
	}
	raw, err := c.hook("/node/sync", request)
	if err != nil {
		return nil, fmt.Errorf("asking the hook about node %s: %w", nodeName(i), err)
	}
	answer, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("decoding the answer about node %s: %w", nodeName(i), err)
	}
	all, _ := answer["attachments"].(list)
	if len(all) != 1 {
		return nil, fmt.Errorf("the hook answers %d attachments of node %s", len(all), nodeName(i))
	}
	return attached(all[0].(object), i), nil
}

// attached is what a DecoratorController has made of an answered attachment of a node.
func attached(desired object, i int) object {
	name := nodeName(i)
	annotation := object{"metacontroller.k8s.io/decorator-controller": decorator}
	metadata := at(desired, "metadata")
	metadata["annotations"] = annotation
	noted := string(mustEncode(desired))
	metadata["annotations"] = with(maps.Clone(annotation), object{lastApplied: noted})
	metadata["ownerReferences"] = list{ownedBy("v1", "Node", name, uid(name))}
	metadata["managedFields"] = list{writer{"metacontroller", "", createTime}.wrote(desired, "network")}
	metadata["uid"], metadata["creationTimestamp"] = uid("report "+name), bootTime
	metadata["generation"], metadata["resourceVersion"] = 1, fmt.Sprint(920000+i)
	return desired
}
