package node

import (
	"fmt"
	"slices"
	"strings"
)

// facts is what of a node's network must be the same again where nothing was to be changed, one line each.
type facts []string

// factsOf reads a node's state as NMState shows it. Left out is what changes by itself: the hardware addresses of bridges, link-local
// addresses, and the names of NetworkManager's profiles.
func factsOf(state map[string]any) facts {
	var f facts
	for _, i := range list(state, "interfaces") {
		name, kind := i["name"], i["type"]
		if kind == "loopback" || kind == "veth" {
			continue
		}
		line := fmt.Sprintf("%v is %v, %v, mtu %v, of %v", name, kind, i["state"], i["mtu"], i["controller"])
		f = append(f, line)
		if i["controller"] != nil {
			f = append(f, fmt.Sprintf("%v belongs to %v", name, i["controller"]))
		}
		for _, family := range []string{"ipv4", "ipv6"} {
			ip, _ := i[family].(map[string]any)
			for _, a := range list(ip, "address") {
				if address := fmt.Sprint(a["ip"]); !strings.HasPrefix(address, "fe80:") {
					f = append(f, fmt.Sprintf("%v has %s/%v", name, address, a["prefix-length"]))
				}
			}
		}
		if bridge, _ := i["bridge"].(map[string]any); bridge != nil {
			for _, p := range list(bridge, "port") {
				if port := fmt.Sprint(p["name"]); !strings.HasPrefix(port, "veth") {
					f = append(f, fmt.Sprintf("%v has the port %s", name, port))
				}
			}
		}
	}
	routes, _ := state["routes"].(map[string]any)
	for _, r := range list(routes, "running") {
		if destination := fmt.Sprint(r["destination"]); !strings.HasPrefix(destination, "fe80:") && !strings.HasPrefix(destination, "ff00:") {
			f = append(f, fmt.Sprintf("%s by %v %v, table %v", destination, r["next-hop-interface"], r["next-hop-address"], r["table-id"]))
		}
	}
	rules, _ := state["route-rules"].(map[string]any)
	for _, r := range list(rules, "config") {
		f = append(f, fmt.Sprintf("rule from %v to table %v", r["ip-from"], r["route-table"]))
	}
	dns, _ := state["dns-resolver"].(map[string]any)
	running, _ := dns["running"].(map[string]any)
	f = append(f, fmt.Sprintf("asks %v for names", running["server"]))
	slices.Sort(f)
	return slices.Compact(f)
}

// list are the objects in a list of an object.
func list(o map[string]any, name string) []map[string]any {
	all, _ := o[name].([]any)
	var objects []map[string]any
	for _, v := range all {
		if m, ok := v.(map[string]any); ok {
			objects = append(objects, m)
		}
	}
	return objects
}

// facts are those of a node now.
func (l *lab) facts(w *worker) (facts, error) {
	state, err := w.show(l.ctx)
	return factsOf(state), err
}

// gone are those of some facts that others do not have.
func (f facts) gone(after facts) facts {
	return slices.DeleteFunc(slices.Clone(f), func(line string) bool { return slices.Contains(after, line) })
}
