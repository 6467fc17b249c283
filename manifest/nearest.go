package manifest

import (
	"slices"
	"strings"
)

// DidYouMean is the end of a message that names what was probably meant; empty where nothing is like it.
func DidYouMean(given string, known []string) string {
	if near := nearest(given, known); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}

// nearest is the known word that a word was probably meant to be; empty where none is like it. Words that other tools use for the
// same count as alike; where nothing is alike, so do those of which one is part of the other.
func nearest(given string, known []string) string {
	lower := strings.ToLower(given)
	if meant, ok := otherWords[lower]; ok && slices.Contains(known, meant) {
		return meant
	}
	words := slices.Sorted(slices.Values(known))
	best, distance := "", len(given)/3+2
	for _, word := range words {
		if d := edits(lower, strings.ToLower(word)); d < distance {
			best, distance = word, d
		}
	}
	for _, word := range words {
		other := strings.ToLower(word)
		if best == "" && min(len(other), len(lower)) >= 3 && (strings.Contains(lower, other) || strings.Contains(other, lower)) {
			best = word
		}
	}
	return best
}

// otherWords are fields by the words that other tools, and earlier habits, have for them.
var otherWords = map[string]string{
	"vlan": "vlanId", "vlantag": "vlanId", "tag": "vlanId", "nic": "physicalInterface", "interface": "physicalInterface",
	"iface": "physicalInterface", "dev": "physicalInterface", "master": "physicalInterface", "bridge": "bridgeName", "mac": "macAddress",
	"nad": "nadName", "multus": "nadName", "network": "networkName", "ip": "ipConfig", "ipaddress": "ipConfig", "cpus": "cpu",
	"cores": "cpu", "vcpu": "cpu", "vcpus": "cpu", "ram": "memory", "mem": "memory", "image": "osImage", "os": "osImage",
	"containerdisk": "osImage", "user": "cloudInitUser", "cloudinit": "userData", "sshkeys": "sshAuthorizedKeys", "sshkey": "sshAuthorizedKeys",
	"ssh_authorized_keys": "sshAuthorizedKeys", "dns": "dnsServers", "nameservers": "dnsServers", "gw": "gateway", "gateway4": "gateway",
	"gateway6": "ipv6Gateway", "storageclass": "storageClassName", "capacity": "size", "pvc": "claimName", "claim": "claimName",
	"ha": "highAvailability", "vm": "virtualMachine", "interfaces": "networks", "nics": "networks", "volumes": "disks",
	"instancetypename": "instancetype", "prefix": "address", "search": "searchDomains", "url": "image", "source": "image",
	"passwd": "password", "hashed_passwd": "passwordHash", "lock_passwd": "lockPasswd", "username": "name", "address": "ipConfig", "gateway": "ipConfig", "dhcp": "ipConfig", "mode": "ipConfig", "ethernet": "physicalInterface",
}

// edits is how many letters have to be added, removed, replaced or swapped to make one word of the other.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
