//go:build race

package media

// raceEnabled tells that everything takes ten times as long.
const raceEnabled = true
