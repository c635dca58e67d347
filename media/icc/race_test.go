//go:build race

package icc

// raceEnabled tells that everything takes many times as long.
const raceEnabled = true
