//go:build !linux

package darkroom

// reachFrom is Linux's business.
func reachFrom([]string, string, func(limits) string) int { return 98 }

// lockNamesOnly is Linux's business.
func lockNamesOnly(limits) string { return "" }

// lockCallsOnly is Linux's business.
func lockCallsOnly(limits) string { return "" }

// giveUpRights is Linux's business.
func giveUpRights(limits) string { return "" }
