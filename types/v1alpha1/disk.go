package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Disk is one disk of the machine: a DataVolume that the Containerized Data Importer fills, or an existing claim.
//
// +kubebuilder:validation:XValidation:rule=`!(self.name in ['osdisk','cloudinitdisk'])`,fieldPath=`.name`,message="this name is reserved for a volume that the machine gets by itself: choose another"
// +kubebuilder:validation:XValidation:rule=`has(self.image) == has(oldSelf.image) && (!has(self.image) || self.image == oldSelf.image)`,fieldPath=`.image`,reason=FieldValueForbidden,message="image cannot change: KubeVirt does not refill a disk. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.dataSource) == has(oldSelf.dataSource) && (!has(self.dataSource) || self.dataSource == oldSelf.dataSource)`,fieldPath=`.dataSource`,reason=FieldValueForbidden,message="dataSource cannot change: KubeVirt does not refill a disk. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.clone) == has(oldSelf.clone) && (!has(self.clone) || self.clone == oldSelf.clone)`,fieldPath=`.clone`,reason=FieldValueForbidden,message="clone cannot change: KubeVirt does not refill a disk. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.claimName) == has(oldSelf.claimName) && (!has(self.claimName) || self.claimName == oldSelf.claimName)`,fieldPath=`.claimName`,reason=FieldValueForbidden,message="claimName cannot change: the guest would find another disk in its place. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.secretRef) == has(oldSelf.secretRef) && (!has(self.secretRef) || self.secretRef == oldSelf.secretRef)`,fieldPath=`.secretRef`,reason=FieldValueForbidden,message="secretRef cannot change: KubeVirt does not refill a disk. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.certConfigMap) == has(oldSelf.certConfigMap) && (!has(self.certConfigMap) || self.certConfigMap == oldSelf.certConfigMap)`,fieldPath=`.certConfigMap`,reason=FieldValueForbidden,message="certConfigMap cannot change: KubeVirt does not refill a disk. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)`,fieldPath=`.storageClassName`,reason=FieldValueForbidden,message="storageClassName cannot change: it counts when the disk is made. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.accessModes) == has(oldSelf.accessModes) && (!has(self.accessModes) || self.accessModes == oldSelf.accessModes)`,fieldPath=`.accessModes`,reason=FieldValueForbidden,message="accessModes cannot change: they count when the disk is made. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.volumeMode) == has(oldSelf.volumeMode) && (!has(self.volumeMode) || self.volumeMode == oldSelf.volumeMode)`,fieldPath=`.volumeMode`,reason=FieldValueForbidden,message="volumeMode cannot change: it counts when the disk is made. Add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.size) == has(oldSelf.size)`,fieldPath=`.size`,reason=FieldValueForbidden,message="size cannot be added or dropped: KubeVirt does not resize a disk from its template. Expand its PersistentVolumeClaim, or add a disk under a new name"
// +kubebuilder:validation:XValidation:rule=`has(self.size) || has(self.claimName) || has(self.dataSource) || has(self.clone)`,fieldPath=`.size`,reason=FieldValueRequired,message="a disk has a size, for example 20Gi; only one with claimName, dataSource or clone takes that of its source"
// +kubebuilder:validation:XValidation:rule=`[has(self.image), has(self.dataSource), has(self.clone), has(self.claimName)].filter(set, set).size() <= 1`,message="a disk has one source: keep one of image, dataSource, clone and claimName, and remove the others"
// +kubebuilder:validation:XValidation:rule=`!has(self.claimName) || !(has(self.size) || has(self.storageClassName) || has(self.accessModes) || has(self.volumeMode))`,fieldPath=`.claimName`,message="claimName uses a claim as it is: remove size, storageClassName, accessModes and volumeMode"
// +kubebuilder:validation:XValidation:rule=`has(self.image) || !(has(self.secretRef) || has(self.certConfigMap))`,fieldPath=`.image`,message="secretRef and certConfigMap are for the server of image: remove them, or set image"
// +kubebuilder:validation:XValidation:rule=`!has(self.cdrom) || !self.cdrom || has(self.image) || has(self.dataSource) || has(self.clone) || has(self.claimName)`,fieldPath=`.cdrom`,message="an empty CD cannot be written to: set image, dataSource, clone or claimName, or remove cdrom"
// +kubebuilder:validation:XValidation:rule=`has(self.cdrom) || !has(self.image) || !self.image.matches('[.](?i:iso)([?#].*)?$')`,fieldPath=`.cdrom`,reason=FieldValueRequired,message="an ISO image is a CD, and most boot only as one: set cdrom: true, or cdrom: false to have it as a disk all the same"
// +kubebuilder:validation:XValidation:rule=`!has(self.cdrom) || !self.cdrom || !has(self.bus) || self.bus != 'virtio'`,fieldPath=`.bus`,message="KubeVirt has no CD drive on virtio: use sata or scsi, or remove bus"
// +kubebuilder:validation:XValidation:rule=`!has(self.boot) || !self.boot || !has(self.bootOrder)`,fieldPath=`.bootOrder`,message="boot: true is bootOrder: 1: remove one of them"
type Disk struct {
	// name is the disk's name in the machine, a DNS label. osdisk and cloudinitdisk are reserved. The disk's DataVolume is
	// {wukong}-{name}. A name whose DataVolume or claim exists already, and is another machine's or not what this disk says, is
	// refused: KubeVirt would take it as it is.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// size is the disk's capacity, as a quantity such as 20Gi. With dataSource or clone it may be left out, and is then that of
	// the source; with claimName it must be. It cannot change: KubeVirt does not act on a changed size.
	//
	// +optional
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=24
	// +kubebuilder:validation:XValidation:rule=`type(self) == int || self.matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$')`,message="size is a number and a unit such as Mi, Gi or Ti, for example 20Gi (not 20GB)"
	// +kubebuilder:validation:XValidation:rule=`type(self) == int ? self >= 1048576 : !self.matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$') || !isQuantity(self) || quantity(self).compareTo(quantity('1Mi')) >= 0`,message="size must be at least 1Mi: give a unit, for example 20Gi"
	// +kubebuilder:validation:XValidation:rule=`!string(self).matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$') || !string(oldSelf).matches('^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E)?$') || !isQuantity(string(self)) || !isQuantity(string(oldSelf)) || quantity(string(self)).compareTo(quantity(string(oldSelf))) == 0`,reason=FieldValueForbidden,message="size cannot change: KubeVirt does not resize a disk from its template. Expand its PersistentVolumeClaim, or add a disk under a new name"
	Size *resource.Quantity `json:"size,omitempty"`

	// storageClassName is the storage class of the disk. It cannot change. Default: that of the preference, or else the
	// cluster's default class.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	StorageClassName string `json:"storageClassName,omitempty"`

	// accessModes say how the disk's claim may be mounted. A machine that is to migrate needs ReadWriteMany. Set this field
	// where the Containerized Data Importer does not know the storage class, and where its choice does not suit. It cannot
	// change. Default: what the StorageProfile of the storage class says.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=4
	AccessModes []AccessMode `json:"accessModes,omitempty"`

	// volumeMode says whether the disk is a block device (Block) or a file on a file system (Filesystem). It cannot change.
	// Default: what the StorageProfile of the storage class says.
	//
	// +optional
	VolumeMode VolumeMode `json:"volumeMode,omitempty"`

	// boot makes the machine boot from this disk: it is bootOrder 1. At most one disk may set it. Default: false.
	//
	// +optional
	Boot bool `json:"boot,omitempty"`

	// bootOrder is the place of this disk among those that the machine tries to boot from, 1 first. No two disks have the
	// same. Once a disk has one, the machine has no disk of osImage. To install from a CD, give the empty disk 1 and the CD
	// 2: the machine boots the CD until there is something on the disk. Default: the machine does not boot from this disk.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	BootOrder int32 `json:"bootOrder,omitempty"`

	// bus is how the guest sees the disk: virtio or scsi, which are fast and for which Windows needs drivers, or sata. A change
	// counts from the next restart of the machine, and the guest has to find its disk there. Default: virtio, for a CD sata;
	// with spec.preference what that says.
	//
	// +optional
	Bus DiskBus `json:"bus,omitempty"`

	// cdrom makes the disk a CD, which the guest cannot write to, such as the ISO image of an installation. It must be set where
	// image ends with .iso. Default: false.
	//
	// +optional
	CDROM bool `json:"cdrom,omitempty"`

	// image is what the disk is filled with: docker://REF or a bare image reference for a container disk, or an
	// http(s):// URL of a disk image. It cannot change. Default: an empty disk, unless dataSource, clone or claimName is set.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule=`self.matches('^(https?://[^\\s/]+(/[^\\s]*)?|(docker://)?[A-Za-z0-9]([A-Za-z0-9._/@-]|:[A-Za-z0-9])*)$')`,message="image is docker://REF, an image reference, or an http(s):// URL"
	// +kubebuilder:validation:XValidation:rule=`!self.matches('^[^:]+(:[0-9]+/[^:]*)?[.](?i:qcow2?|img|raw|iso|vmdk|vdi|vhdx?|ova|tar)([.](?i:gz|xz|bz2|zst))?$')`,message="without a scheme image is an image reference, and this looks like the URL of a file: write https:// or http:// before it, or docker:// if it is an image"
	Image string `json:"image,omitempty"`

	// secretRef names a Secret in spec.namespace for the server of image, whose keys accessKeyId and secretKey are the user and
	// the password: this is the form of the Containerized Data Importer, and not that of an imagePullSecret. It cannot change.
	// Default: none.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SecretRef string `json:"secretRef,omitempty"`

	// certConfigMap names a ConfigMap in spec.namespace with the certificates, as PEM, of whoever signed that of the server of
	// image. It cannot change. Default: the public ones.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	CertConfigMap string `json:"certConfigMap,omitempty"`

	// dataSource fills the disk from a golden image: a DataSource of the Containerized Data Importer. It cannot change.
	// Default: none.
	//
	// +optional
	DataSource *ObjectReference `json:"dataSource,omitempty"`

	// clone fills the disk from a PersistentVolumeClaim, which stays as it is. It cannot change. Default: none.
	//
	// +optional
	Clone *ObjectReference `json:"clone,omitempty"`

	// claimName uses an existing PersistentVolumeClaim of spec.namespace as the disk. The claim stays when the disk is removed
	// or the machine is deleted. A claim that another machine of a Wukong uses is refused, unless both have it as a CD. It
	// cannot change. Default: none; the disk has a claim of its own.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ClaimName string `json:"claimName,omitempty"`
}

// ObjectReference names an object that a disk is filled from.
type ObjectReference struct {
	// name is the object's name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`

	// namespace is the object's namespace. From another namespace than spec.namespace, KubeVirt copies only what the service
	// account of the machine may copy there. Default: spec.namespace.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
}

// AccessMode is a way in which a claim may be mounted.
//
// +kubebuilder:validation:Enum=ReadWriteOnce;ReadOnlyMany;ReadWriteMany;ReadWriteOncePod
type AccessMode string

// VolumeMode says whether a disk is a block device or a file.
//
// +kubebuilder:validation:Enum=Block;Filesystem
type VolumeMode string

// DiskBus is how the guest sees a disk.
//
// +kubebuilder:validation:Enum=virtio;sata;scsi
type DiskBus string
