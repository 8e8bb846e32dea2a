//go:build race

package tunneltest

// RaceDetector tells that the program was built with the race detector, which
// reports races inside the ngrok SDK when a session is cut.
const RaceDetector = true
