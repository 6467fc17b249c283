package picture

// gravity is how grave a state is for one node or one thing.
var gravity = map[State]int{Refused: 9, Failed: 8, Held: 7, Leaving: 6, Changed: 5, New: 4, Waiting: 3, Absent: 2, Good: 1, Shown: 0}

// merged is the mark of one thing that several build. What is refused or not there yet does not count while somebody else builds it.
func merged(marks []Mark) Mark {
	var best Mark
	rank := -1
	for _, m := range marks {
		r := gravity[m.State] + 10
		switch m.State {
		case Refused:
			r = 2
		case Absent:
			r = 1
		case Leaving:
			r = 3
		}
		if r > rank {
			best, rank = m, r
		}
	}
	return best
}

// gravest is the gravest of some marks.
func gravest(marks []Mark) Mark {
	var worst Mark
	for _, m := range marks {
		if gravity[m.State] > gravity[worst.State] {
			worst = m
		}
	}
	return worst
}
