package picture

import (
	"cmp"
	"slices"
)

// order puts the boxes of the columns behind the nodes in an order in which few lines cross: each where its neighbours are.
func (p *part) order() {
	place := map[*spot]float64{}
	number := func(column []*spot) {
		for i, s := range column {
			place[s] = (float64(i) + 0.5) / float64(len(column))
		}
	}
	for _, column := range p.spots {
		number(column)
	}
	middle := func(all []*spot, otherwise float64) float64 {
		if len(all) == 0 {
			return otherwise
		}
		sum := 0.0
		for _, s := range all {
			sum += place[s]
		}
		return sum / float64(len(all))
	}
	for sweep := range 6 {
		for i := range columns - 2 {
			c := 2 + i
			if sweep%2 == 1 {
				c = columns - 1 - i
			}
			want := map[*spot]float64{}
			for _, s := range p.spots[c] {
				want[s] = (middle(s.before, place[s]) + middle(s.after, place[s])) / 2
			}
			slices.SortStableFunc(p.spots[c], func(a, b *spot) int { return cmp.Compare(want[a], want[b]) })
			number(p.spots[c])
		}
	}
	// What the nodes of the part do not feed comes last, so that the others can be framed.
	for _, s := range p.spots[2] {
		if len(s.before) == 0 && len(p.groups) > 0 {
			s.apart = framePad
		}
	}
	slices.SortStableFunc(p.spots[2], func(a, b *spot) int { return cmp.Compare(min(len(b.before), 1), min(len(a.before), 1)) })
}

// stack puts the boxes of a column one below the other.
func stack(column []*spot) {
	y := 0.0
	for _, s := range column {
		s.y = y + s.h/2
		y += s.h + boxGap
	}
}

// neighbours are those on both sides of a box.
func neighbours(s *spot) []*spot { return slices.Concat(s.before, s.after) }

// behind are those that a box leads to.
func behind(s *spot) []*spot { return s.after }

// settle moves the boxes of a column to where others are, in their order and without touching.
func settle(column []*spot, others func(*spot) []*spot) {
	var want, room []float64
	for _, s := range column {
		sum, n := 0.0, 0
		for _, other := range others(s) {
			sum, n = sum+other.y, n+1
		}
		if n == 0 {
			sum, n = s.y, 1
		}
		want, room = append(want, sum/float64(n)), append(room, s.h+boxGap+2*s.apart)
	}
	for i, y := range apart(want, room) {
		column[i].y = y
	}
}

// apart are the places nearest to those that are wanted, by least squares, in which each has its room: neighbours that would touch are
// moved together. This is isotonic regression by pooling.
func apart(want, room []float64) []float64 {
	type pool struct {
		sum float64 // of the wanted places, each less its distance from the first of all
		n   int
	}
	var pools []pool
	start := make([]float64, len(want))
	distance := 0.0
	for i := range want {
		if i > 0 {
			distance += (room[i-1] + room[i]) / 2
		}
		start[i] = distance
		pools = append(pools, pool{sum: want[i] - distance, n: 1})
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/float64(a.n) < b.sum/float64(b.n) {
				break
			}
			pools = append(pools[:len(pools)-2], pool{sum: a.sum + b.sum, n: a.n + b.n})
		}
	}
	var all []float64
	for _, p := range pools {
		for range p.n {
			all = append(all, p.sum/float64(p.n)+start[len(all)])
		}
	}
	return all
}
