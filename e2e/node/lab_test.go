package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"novasphere.dev/wukong/e2e/node/uml"
)

// The network that every lab has, seen from the gateway: what the node's own address is in, what is on VLANs, and what machines have
// without a tag.
const (
	gatewayMAC     = "00:50:56:ff:00:01"
	gatewayAddress = "10.0.0.254"
	nodeAddress    = "10.0.0.1"
	nodeMAC        = "00:50:56:aa:00:01" // of ens160
	secondMAC      = "00:50:56:aa:00:02" // of ens192
	otherMAC       = "00:50:56:bb:00:01" // of enp3s0, the NIC of the second node
)

// gatewayScript is what the gateway is made of. It answers on every VLAN, and gives addresses without a tag by DHCP, but to ens192.
const gatewayScript = `
modprobe -a 8021q ipv6
ip link set vec0 up
ip addr add 10.0.0.254/24 dev vec0
ip addr add 192.168.1.1/24 dev vec0
ip addr add fd00::fe/64 dev vec0 nodad
for vlan in 100 200; do
	ip link add link vec0 name vec0.$vlan type vlan id $vlan
	ip link set vec0.$vlan up
	ip addr add 192.168.$vlan.1/24 dev vec0.$vlan
done
mkdir -p /var/lib/misc
dnsmasq --conf-file=/dev/null --port=53 --no-resolv --no-hosts --interface=vec0 --bind-interfaces --dhcp-range=10.0.0.100,10.0.0.150,1h \
	--dhcp-option=option:router,10.0.0.254 --dhcp-authoritative --log-facility=/tmp/dnsmasq.log --dhcp-host=00:50:56:aa:00:02,ignore
`

// lab is a switch with a gateway and nodes on it, and the cluster that they are nodes of.
type lab struct {
	*cluster

	host    *uml.Host
	wire    *uml.Switch
	gate    *uml.Machine
	workers []*worker
	ctx     context.Context
	tell    func(format string, args ...any)
	pings   int // that have begun
}

// newLab starts a gateway.
func newLab(ctx context.Context, host *uml.Host, name string, tell func(string, ...any)) (*lab, error) {
	wire, err := host.NewSwitch()
	if err != nil {
		return nil, err
	}
	l := &lab{host: host, wire: wire, ctx: ctx, tell: tell}
	port, err := l.wire.Plug()
	if err != nil {
		return nil, err
	}
	l.gate, err = host.Start(ctx, uml.Config{
		Name: name + "-gateway", Memory: 128, Kernel: []string{"init=/usr/local/sbin/wukong-init"}, NICs: []uml.NIC{{MAC: gatewayMAC, Port: port}},
	})
	if err != nil {
		return nil, err
	}
	if _, err = l.gate.Sh(ctx, gatewayScript); err != nil {
		l.gate.Kill()
	}
	return l, err
}

// close ends everything.
func (l *lab) close() {
	for _, w := range l.workers {
		w.Kill()
	}
	l.gate.Kill()
}

// hire starts one more node with NICs of some hardware addresses, and with some wires to guests.
func (l *lab) hire(name string, labels map[string]string, wires int, macs ...string) (*worker, error) {
	w := &worker{name: name, labels: labels, nics: macs, captured: map[string]string{}, applied: map[string]int64{}}
	nics, err := l.cable(w, wires)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	w.Machine, err = l.host.Start(l.ctx, uml.Config{
		Name: strings.TrimSuffix(l.gate.Name, "gateway") + name, Memory: 384, NICs: nics,
		Kernel: []string{"cloud-init=disabled", "systemd.hostname=" + name},
	})
	if err != nil {
		return nil, err
	}
	l.tell("node %s is up after %s", name, time.Since(began).Round(time.Second))
	l.workers = append(l.workers, w)
	return w, nil
}

// cable is what is plugged into a node: one cable to the switch for each NIC, and wires to guests.
func (l *lab) cable(w *worker, wires int) ([]uml.NIC, error) {
	var nics []uml.NIC
	for _, mac := range w.nics {
		port, err := l.wire.Plug()
		if err != nil {
			return nil, err
		}
		w.ports = append(w.ports, port)
		nics = append(nics, uml.NIC{MAC: mac, Port: port})
	}
	for i := range wires {
		wire, err := l.host.NewSwitch()
		if err != nil {
			return nil, err
		}
		var ends [2]*uml.Port
		for at := range ends {
			if ends[at], err = wire.Plug(); err != nil {
				return nil, err
			}
		}
		w.wires = append(w.wires, ends[0])
		nics = append(nics, uml.NIC{MAC: fmt.Sprintf("06:00:00:00:00:%02x", i), Port: ends[1]})
	}
	return nics, nil
}

// reboot stops a node and starts it again from its own disk.
func (l *lab) reboot(w *worker) error {
	if err := w.Stop(l.ctx); err != nil {
		return err
	}
	began := time.Now()
	if err := w.Boot(l.ctx); err != nil {
		return err
	}
	w.plugged = 0
	l.tell("node %s is up again after %s", w.name, time.Since(began).Round(time.Second))
	return nil
}

// profile is a profile of NetworkManager for a NIC that carries the node's address by default.
type profile struct {
	name, iface, kind string // kind is ethernet where it is empty
	more              string // further sections and keys
	ipv4, ipv6        string
	port              string // "controller type" where it is a port, which has no addresses
}

// text is the profile as NetworkManager keeps it.
func (p profile) text() string {
	if p.kind == "" {
		p.kind = "ethernet"
	}
	if controller, of, is := strings.Cut(p.port, " "); is {
		return fmt.Sprintf("[connection]\nid=%s\ntype=%s\ninterface-name=%s\ncontroller=%s\nport-type=%s\n", p.name, p.kind, p.iface, controller, of)
	}
	return fmt.Sprintf("[connection]\nid=%s\ntype=%s\ninterface-name=%s\n\n%s\n[ipv4]\n%s\n\n[ipv6]\n%s\n", p.name, p.kind, p.iface, p.more, p.ipv4, p.ipv6)
}

// The ways in which a NIC gets its addresses.
const (
	none   = "method=disabled"
	auto6  = "method=auto" // NetworkManager's default
	static = "method=manual\naddress1=10.0.0.1/24,10.0.0.254\ndns=10.0.0.254;"
	dhcp   = "method=auto"
)

// furnish makes the node anew: nothing of what was on it before stays, then it gets profiles, and a script has the last word.
func (w *worker) furnish(ctx context.Context, profiles []profile, script string) error {
	var s strings.Builder
	s.WriteString(`
systemctl stop NetworkManager
rm -rf /etc/NetworkManager/system-connections/* /var/lib/NetworkManager/* /run/NetworkManager/system-connections/* /run/NetworkManager/devices/*
pkill dnsmasq || true
for ns in $(ip netns list | awk '$1 != "wires" {print $1}'); do ip netns del "$ns"; done
until [ -e /sys/class/net/ens160 ] || [ -e /sys/class/net/enp3s0 ]; do sleep 0.2; done # a NIC comes back when its namespace has ended
for family in -4 -6; do
	for pref in $(ip $family rule | sed 's/:.*//'); do
		case $pref in 0 | 32766 | 32767) ;; *) ip $family rule del pref $pref ;; esac
	done
done
for nic in $(ls /sys/class/net); do
	case $nic in
	lo | ens160 | ens192 | enp3s0) ;;
	*) ip link del "$nic" 2>/dev/null || true ;;
	esac
done
for nic in ens160 ens192 enp3s0; do
	[ -e /sys/class/net/$nic ] || continue
	ip link set "$nic" nomaster 2>/dev/null || true
	ip addr flush dev "$nic"
	ip link set "$nic" down mtu 1500
	ip link property del dev "$nic" altname uplink0 2>/dev/null || true
done
ip route flush table all proto static 2>/dev/null || true
`)
	for _, p := range profiles {
		fmt.Fprintf(&s, "cat > /etc/NetworkManager/system-connections/%s.nmconnection <<'END'\n%sEND\n", p.name, p.text())
	}
	s.WriteString("chmod 600 /etc/NetworkManager/system-connections/* 2>/dev/null || true\nsystemctl start NetworkManager\n")
	for _, p := range profiles {
		fmt.Fprintf(&s, "nmcli --wait 60 connection up %s || { journalctl -o cat -u NetworkManager | tail -n 40; exit 1; }\n", p.name)
	}
	s.WriteString(script)
	clear(w.captured)
	clear(w.applied)
	_, err := w.Sh(ctx, s.String())
	return err
}
