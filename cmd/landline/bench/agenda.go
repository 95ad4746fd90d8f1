package bench

// agenda is a heap of what is to be done when.
type agenda []entry

type entry struct {
	at int64
	do func(now int64)
}

func (a *agenda) add(at int64, do func(now int64)) {
	list := append(*a, entry{at, do})
	i := len(list) - 1
	for i > 0 {
		up := (i - 1) / 2
		if list[up].at <= at {
			break
		}
		list[i] = list[up]
		i = up
	}
	list[i] = entry{at, do}
	*a = list
}

// next tells when the first entry is due; ok is false if there is none.
func (a agenda) next() (at int64, ok bool) {
	if len(a) == 0 {
		return 0, false
	}
	return a[0].at, true
}

// pop takes the first entry out.
func (a *agenda) pop() entry {
	list := *a
	first, last := list[0], list[len(list)-1]
	list[len(list)-1] = entry{}
	list = list[:len(list)-1]
	*a = list
	if len(list) == 0 {
		return first
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(list) {
			break
		}
		if down+1 < len(list) && list[down+1].at < list[down].at {
			down++
		}
		if last.at <= list[down].at {
			break
		}
		list[i] = list[down]
		i = down
	}
	list[i] = last
	return first
}
