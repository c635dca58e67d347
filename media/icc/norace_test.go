//go:build !race

package icc

const raceEnabled = false
