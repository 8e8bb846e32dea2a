package sqlite

// What has expired is no sum that is kept, since it changes by the clock alone:
// each question adds up the lots whose last day is over, which indexes find. Of
// the lists that an index holds in the order of what is available, what has such
// a lot is taken out, and put where it belongs.

// expiredOf is SQL for how much of a level has expired; today is a parameter.
func expiredOf(level, today string) string {
	return `coalesce((SELECT sum(x.on_hand) FROM lots x
		WHERE x.product = ` + level + `.product AND x.shop = ` + level + `.shop AND x.expiry < ` + today + `), 0)`
}

// hasExpired is SQL for whether any of a level has.
func hasExpired(level, today string) string {
	return `EXISTS (SELECT 1 FROM lots x
		WHERE x.product = ` + level + `.product AND x.shop = ` + level + `.shop AND x.expiry < ` + today + `)`
}
