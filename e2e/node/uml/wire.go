package uml

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Switch is a network switch without a configuration: it learns which hardware address is behind which port, in every VLAN of its own,
// and passes tags as they are. It keeps what it has seen, so that a test can ask what was on the wire. A switch of two ports is a cable.
type Switch struct {
	dir   string
	mu    sync.Mutex
	ports []*Port
	where map[station]*Port
}

// NewSwitch makes a switch without ports. Whoever has made it closes it.
func (h *Host) NewSwitch() (*Switch, error) {
	dir, err := os.MkdirTemp(h.scratch, "wire-")
	return &Switch{dir: dir, where: map[station]*Port{}}, err
}

// station is a hardware address in a VLAN; 0 for frames without a tag.
type station struct {
	mac  [6]byte
	vlan int
}

// Port is one socket of a switch. A NIC connects to it when it is set up, and leaves it when it is set down.
type Port struct {
	of       *Switch
	path     string
	listener *net.UnixListener
	nic      *net.UnixConn // nil while none is connected
	cut      bool
	seen     map[Seen]int
}

// Seen is one kind of frame that has come into a port.
type Seen struct {
	Source string // hardware address
	VLAN   int    // 0 without a tag
}

// Plug makes one more port.
func (s *Switch) Plug() (*Port, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := filepath.Join(s.dir, fmt.Sprint(len(s.ports)))
	// Frames keep their bounds in such a socket, and none is lost on the way.
	listener, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	if err != nil {
		return nil, err
	}
	p := &Port{of: s, path: path, listener: listener, seen: map[Seen]int{}}
	s.ports = append(s.ports, p)
	go p.serve()
	return p, nil
}

// Close takes the switch away.
func (s *Switch) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		_ = p.listener.Close()
		if p.nic != nil {
			_ = p.nic.Close()
		}
	}
}

// serve takes the NICs that connect, one after the other.
func (p *Port) serve() {
	for {
		nic, err := p.listener.AcceptUnix()
		if err != nil {
			return
		}
		_ = nic.SetWriteBuffer(1 << 20)
		p.of.mu.Lock()
		p.nic = nic
		p.of.mu.Unlock()
		go p.listen(nic)
	}
}

// Cut pulls the cable out of a port, or puts it back. The NIC does not notice: no frame comes or goes.
func (p *Port) Cut(cut bool) {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	p.cut = cut
}

// Seen reports whether a frame of some kind has come into the port.
func (p *Port) Seen(kind Seen) bool {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	return p.seen[kind] > 0
}

// listen passes on the frames of a NIC until it leaves.
func (p *Port) listen(nic *net.UnixConn) {
	defer func() { _ = nic.Close() }()
	frame := make([]byte, 1<<16)
	for {
		n, err := nic.Read(frame)
		if n == 0 || err != nil {
			return
		}
		if n >= 14 {
			p.of.pass(p, frame[:n])
		}
	}
}

// pass sends a frame to the port where its destination is, or to all others.
func (s *Switch) pass(from *Port, frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if from.cut {
		return
	}
	to, source := station{[6]byte(frame[0:6]), vlan(frame)}, station{[6]byte(frame[6:12]), vlan(frame)}
	from.seen[Seen{net.HardwareAddr(frame[6:12]).String(), source.vlan}]++
	s.where[source] = from
	if behind := s.where[to]; behind != nil && frame[0]&1 == 0 {
		behind.send(from, frame)
		return
	}
	for _, p := range s.ports {
		p.send(from, frame)
	}
}

// send sends a frame out of a port. One that does not take it loses it, as a switch does.
func (p *Port) send(from *Port, frame []byte) {
	if p == from || p.cut || p.nic == nil {
		return
	}
	_ = p.nic.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = p.nic.Write(frame)
}

// vlan is the VLAN of a frame; 0 where it has no tag.
func vlan(frame []byte) int {
	if len(frame) >= 18 && frame[12] == 0x81 && frame[13] == 0 {
		return int(frame[14]&0x0f)<<8 | int(frame[15])
	}
	return 0
}
