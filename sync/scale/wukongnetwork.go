package scale

// newNetworkCluster is a cluster with a new WukongNetwork.
func newNetworkCluster(size Size, hook Hook, n network) *cluster {
	n.policy = n.name + ".bridge"
	return &cluster{
		size: Size{Nodes: size.Nodes, States: size.States}, hook: hook, nodes: founders, networks: []network{n},
		parent:   applied(shared, n.name, object{"physicalInterface": nic, "vlanId": n.vlan}),
		children: map[string]map[string]object{policyKind: {}},
	}
}

// share makes the WukongNetworks that the Wukong uses, and waits until they are ready.
func (c *cluster) share() error {
	c.shared = map[string]object{}
	for _, n := range c.networks {
		made := newNetworkCluster(c.size, c.hook, n)
		if err := made.live(); err != nil {
			return err
		}
		c.shared[n.name] = made.parent
	}
	return nil
}
