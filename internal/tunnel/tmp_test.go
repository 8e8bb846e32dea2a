package tunnel_test

import "testing"

func skipUnderRace(t *testing.T) {}
