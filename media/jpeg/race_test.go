//go:build race

package jpeg

// raceEnabled tells that everything takes many times as long.
const raceEnabled = true
