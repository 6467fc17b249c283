package sync

import (
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"novasphere.dev/wukong/types/v1alpha1"
)

// cloudInitLimit is how many bytes of user data, and of network data, KubeVirt accepts inline.
const cloudInitLimit = 2048

// cloudInit is the volume from which the guest reads its users and addresses; nil where there is nothing to read.
func cloudInit(w *v1alpha1.Wukong, nets []*network) *kubevirtv1.Volume {
	noCloud := &kubevirtv1.CloudInitNoCloudSource{}
	switch {
	case w.Spec.NetworkDataSecret != "":
		noCloud.NetworkDataSecretRef = &corev1.LocalObjectReference{Name: w.Spec.NetworkDataSecret}
	default:
		noCloud.NetworkData = networkData(nets)
	}
	told := w.Spec.NetworkDataSecret != "" || noCloud.NetworkData != "" || w.Spec.CloudInitUser != nil || w.Spec.SSHKeySecret != ""
	switch {
	case w.Spec.UserDataSecret != "":
		noCloud.UserDataSecretRef = &corev1.LocalObjectReference{Name: w.Spec.UserDataSecret}
	case told:
		// cloud-init reads no network data without user data.
		noCloud.UserData = userData(w)
	default:
		return nil
	}
	return &kubevirtv1.Volume{Name: cloudInitDisk, VolumeSource: kubevirtv1.VolumeSource{CloudInitNoCloud: noCloud}}
}

// cloudConfig is the part of cloud-init's user data that the hook writes
// (https://docs.cloud-init.io/en/latest/reference/modules.html#users-and-groups).
type cloudConfig struct {
	SSHPasswordAuth bool       `json:"ssh_pwauth,omitempty"`
	User            *cloudUser `json:"user,omitempty"`
}

// cloudUser is the user in cloud-config. The fields that are set replace those of the image's default user, and SSH
// keys go to this user.
type cloudUser struct {
	Name              string   `json:"name"`
	HashedPassword    string   `json:"hashed_passwd,omitempty"`
	PlainTextPassword string   `json:"plain_text_passwd,omitempty"`
	LockPassword      bool     `json:"lock_passwd"`
	Sudo              string   `json:"sudo,omitempty"`
	Shell             string   `json:"shell,omitempty"`
	Groups            []string `json:"groups,omitempty"`
}

// userData is the cloud-config with the user of the spec.
func userData(w *v1alpha1.Wukong) string {
	const header = "#cloud-config\n"
	u := w.Spec.CloudInitUser
	if u == nil {
		return header + "{}\n" // cloud-init's schema requires a mapping, and allows an empty one
	}
	user := &cloudUser{
		Name: u.Name, HashedPassword: u.PasswordHash, Sudo: u.Sudo, Shell: u.Shell, Groups: u.Groups,
		LockPassword: u.PasswordHash == "" && u.Password == "",
	}
	if u.PasswordHash == "" {
		user.PlainTextPassword = u.Password
	}
	if u.LockPasswd != nil {
		user.LockPassword = *u.LockPasswd
	}
	config := cloudConfig{User: user, SSHPasswordAuth: !user.LockPassword}
	// JSON is YAML too, and quotes every string: no password can be read as anything but a string.
	return header + compact(config) + "\n"
}

// networkConfig is cloud-init's network configuration, version 2
// (https://docs.cloud-init.io/en/latest/reference/network-config-format-v2.html).
type networkConfig struct {
	Version   int                 `json:"version"`
	Ethernets map[string]ethernet `json:"ethernets"`
}

type ethernet struct {
	Match          match           `json:"match"`
	Optional       bool            `json:"optional,omitempty"`
	DHCP4          bool            `json:"dhcp4,omitempty"`
	DHCP4Overrides *dhcpOverrides  `json:"dhcp4-overrides,omitempty"`
	Addresses      []string        `json:"addresses,omitempty"`
	Routes         []route         `json:"routes,omitempty"`
	Nameservers    *nameserverList `json:"nameservers,omitempty"`
}

type match struct {
	MACAddress string `json:"macaddress"`
}

type dhcpOverrides struct {
	RouteMetric int `json:"route-metric"`
}

type route struct {
	To     string `json:"to"`
	Via    string `json:"via"`
	Metric int    `json:"metric"`
}

type nameserverList struct {
	Addresses []string `json:"addresses"`
}

// networkData is the network configuration for the guest. Interfaces are matched by hardware address, because their
// names in the guest depend on the order of its PCI slots. Every interface is listed, because cloud-init leaves
// unlisted ones alone. The order of the networks is the preference of their default routes. networkData is empty for a
// machine with nothing but a plain pod network, which the guest configures by itself.
func networkData(nets []*network) string {
	if len(nets) == 0 || len(nets) == 1 && nets[0].Type == v1alpha1.Pod && nets[0].IPConfig == nil {
		return ""
	}
	config := networkConfig{Version: 2, Ethernets: map[string]ethernet{}}
	for i, n := range nets {
		config.Ethernets[n.Name] = guestInterface(n, 100*(i+1))
	}
	return compact(config)
}

func guestInterface(n *network, metric int) ethernet {
	e := ethernet{Match: match{MACAddress: n.mac}}
	ip := n.IPConfig
	switch {
	case ip == nil && n.Type != v1alpha1.Pod:
		e.Optional = true // the interface is up without an address, and boot does not wait for it
	case ip == nil || ip.Mode == v1alpha1.DHCP:
		e.DHCP4, e.DHCP4Overrides = true, &dhcpOverrides{RouteMetric: metric}
	default:
		e.Addresses = []string{ip.Address}
		if ip.Gateway != "" {
			e.Routes = []route{{To: defaultRoute(ip.Gateway), Via: ip.Gateway, Metric: metric}}
		}
	}
	if ip != nil && len(ip.DNSServers) > 0 {
		e.Nameservers = &nameserverList{Addresses: ip.DNSServers}
	}
	return e
}

func defaultRoute(gateway string) string {
	if a, err := netip.ParseAddr(gateway); err == nil && a.Is6() {
		return "::/0"
	}
	return "0.0.0.0/0"
}
