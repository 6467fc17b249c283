package picture

import (
	"slices"
)

// block is the NICs and VLANs of a group of nodes. They keep their places among each other.
type block struct {
	group *Group
	rows  []*spot // in the column of VLANs: VLANs, and way points of what has none
	nics  []*spot
	h     float64
	rowY  []float64 // from the middle of the block
	nicY  []float64
}

// blocks are those of a part, one below the other.
type blocks []*block

// blocks makes the blocks of the groups of a part.
func (p *part) blocks() blocks {
	var all blocks
	for _, g := range p.groups {
		b := &block{group: g}
		for _, s := range p.spots[0] {
			if s.box.Group == g {
				b.nics = append(b.nics, s)
			}
		}
		y := 0.0
		for _, nic := range b.nics {
			y = b.nic(nic, y)
		}
		b.h = y - boxGap
		for i := range b.rowY {
			b.rowY[i] -= b.h / 2
		}
		for i := range b.nicY {
			b.nicY[i] -= b.h / 2
		}
		all = append(all, b)
	}
	all.put(make([]float64, len(all)))
	y := 0.0
	var middles []float64
	for _, b := range all {
		middles = append(middles, y+b.room()/2)
		y += b.room()
	}
	all.put(middles)
	return all
}

// nic puts a NIC beside its rows, and answers where the next begins.
func (b *block) nic(nic *spot, y float64) float64 {
	top := y
	for _, row := range nic.after {
		if slices.Contains(b.rows, row) {
			continue
		}
		h := max(row.h, 2*lineHeight)
		b.rows, b.rowY = append(b.rows, row), append(b.rowY, y+h/2)
		y += h + boxGap
	}
	bottom := max(y-boxGap, top+nic.h)
	if slack := (bottom - top - (y - boxGap - top)) / 2; slack > 0 { // the NIC is higher than its rows
		for i := range b.rows {
			if b.rowY[i] >= top {
				b.rowY[i] += slack
			}
		}
	}
	b.nicY = append(b.nicY, (top+bottom)/2)
	return bottom + boxGap
}

// room is how high a block is with its frame.
func (b *block) room() float64 { return b.h + frameHead + framePad + boxGap }

func (all blocks) put(middles []float64) {
	for i, b := range all {
		for j, s := range b.rows {
			s.y = middles[i] + b.rowY[j]
		}
		for j, s := range b.nics {
			s.y = middles[i] + b.nicY[j]
		}
	}
}

// settle moves the blocks to where the bridges are. A single one has the room to follow them row by row.
func (all blocks) settle() {
	if len(all) == 1 {
		settle(all[0].rows, behind)
		settle(all[0].nics, behind)
		return
	}
	var want, room []float64
	for _, b := range all {
		sum, n := 0.0, 0
		for i, s := range b.rows {
			for _, next := range s.after {
				sum, n = sum+next.y-b.rowY[i], n+1
			}
		}
		if n == 0 {
			n = 1
		}
		want, room = append(want, sum/float64(n)), append(room, b.room())
	}
	all.put(apart(want, room))
}

// frame puts a frame around each group of nodes. Where a part has one group only, its bridges are in the frame as well.
func (l *layout) frame(p *part, all blocks) []*frame {
	var frames []*frame
	for _, b := range all {
		f := &frame{group: b.group, x: l.lefts[0] - framePad}
		right := 1
		if l.widths[1] == 0 {
			right = 0
		}
		inside := slices.Concat(b.nics, b.rows)
		if bridges := bridgesOf(p); len(all) == 1 && len(bridges) > 0 {
			right = 2
			inside = append(inside, bridges...)
		}
		top, bottom := inside[0].y, inside[0].y
		for _, s := range inside {
			top, bottom = min(top, s.y-s.h/2), max(bottom, s.y+s.h/2)
		}
		f.w = l.lefts[right] + l.widths[right] + framePad - f.x
		f.y, f.h = top-frameHead, bottom-top+frameHead+framePad
		frames = append(frames, f)
	}
	return frames
}

// bridgesOf are the bridges of a part that have an uplink.
func bridgesOf(p *part) []*spot {
	var all []*spot
	for _, s := range p.spots[2] {
		if s.box != nil && len(s.before) > 0 {
			all = append(all, s)
		}
	}
	return all
}
