package sqlite

import (
	"cmp"
	"slices"
	"strings"
)

// placeGap is how far apart shops are numbered by name, so that more find room
// between them: all levels of a shop repeat its place.
const placeGap = 1 << 20

// between returns n numbers, spread evenly, between two that are taken, or
// behind the first one, a gap apart, where the second one is 0. It reports false
// if there are not so many.
func between(before, after int64, n int, gap int64) ([]int64, bool) {
	if after != 0 {
		gap = (after - before) / int64(n+1)
	}
	numbers := make([]int64, n)
	for i := range numbers {
		numbers[i] = before + gap*int64(i+1)
	}
	return numbers, gap > 0
}

// placedShop is where a shop is among all, by name.
type placedShop struct {
	num, place int64
	name       string // folded
	id         string
}

func (s *placedShop) compare(t *placedShop) int {
	return cmp.Or(strings.Compare(s.name, t.name), strings.Compare(s.id, t.id))
}

// placeShops finds places for those of all shops that are new or have another
// name. Where there is no room it gives all the others new ones, and writes
// them.
func placeShops(in *inserter, all []*placedShop, moved []int64) error {
	if len(moved) == 0 {
		return nil
	}
	order := slices.SortedFunc(slices.Values(all), (*placedShop).compare)
	slices.Sort(moved)
	isMoved := func(s *placedShop) bool {
		_, found := slices.BinarySearch(moved, s.num)
		return found
	}
	var before int64
	for i := 0; i < len(order); {
		if !isMoved(order[i]) {
			before = order[i].place
			i++
			continue
		}
		n := 1
		for i+n < len(order) && isMoved(order[i+n]) {
			n++
		}
		var after int64
		if i+n < len(order) {
			after = order[i+n].place
		}
		places, ok := between(before, after, n, placeGap)
		if !ok {
			return placeAll(in, order)
		}
		for j, place := range places {
			order[i+j].place = place
		}
		i += n
	}
	return nil
}

// placeAll gives all shops new places.
func placeAll(in *inserter, order []*placedShop) error {
	for i, s := range order {
		s.place = int64(i+1) * placeGap
		if err := in.exec(`UPDATE shops SET place = ? WHERE num = ? AND place <> ?1`, s.place, s.num); err != nil {
			return err
		}
	}
	return nil
}
