//go:build race

package media

// raceEnabled tells that everything takes many times as long.
const raceEnabled = true
