//go:build race

package tunneltest

const raceDetector = true
