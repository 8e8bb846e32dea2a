package fold

import "strings"

// Distance returns how many slips lie between two folded texts: characters
// missing, too many, wrong, or swapped with the next.
func Distance(a, b string) int { return distance([]rune(a), []rune(b), false) }

// PartDistance returns how many slips lie between part and the stretch of
// whole that is nearest to it.
func PartDistance(part, whole string) int { return distance([]rune(part), []rune(whole), true) }

// distance is the optimal string alignment distance, row by row over a. Where
// anywhere is set, a may begin and end at any place in b at no cost.
func distance(a, b []rune, anywhere bool) int {
	var stack [3 * 64]int
	rows := stack[:]
	w := len(b) + 1
	if 3*w > len(rows) {
		rows = make([]int, 3*w)
	}
	before, last, row := rows[:w], rows[w:2*w], rows[2*w:3*w]
	if !anywhere {
		for j := range last {
			last[j] = j
		}
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j < w; j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	if !anywhere {
		return last[w-1]
	}
	best := last[0]
	for _, d := range last {
		best = min(best, d)
	}
	return best
}

// Near reports whether name, or a part of it, differs from asked by no more
// slips than [Slack] forgives, and how near it is: the lower the nearer, whole
// names before parts. Both are folded. Texts of one character, and very long
// ones, are near to nothing.
func Near(asked, name string) (score int, ok bool) {
	a, b := []rune(asked), []rune(name)
	slack := Slack(len(a))
	if slack == 0 || len(b) < 2 || len(a) > maxNear || len(b) > maxNear {
		return 0, false
	}
	if d := len(a) - len(b); -slack <= d && d <= slack {
		if score = distance(a, b, false); score <= slack {
			return score, true
		}
	}
	if len(a) < 3 || len(b) < len(a) {
		return 0, false
	}
	score = distance(a, b, true)
	return slack + 1 + score, score <= slack
}

// maxNear is how many characters a name has at most that Near looks at.
const maxNear = 100

// Alike reports whether two names are likely to be of one thing: as people
// compare them, they are the same, or one is the other with a little added, such
// as 茶葉蛋 and 茶葉蛋 (大).
func Alike(a, b string) bool {
	a, b = String(a), String(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	return a == b || 2*len(a) > len(b) && strings.Contains(b, a)
}
