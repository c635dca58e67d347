package config

import (
	"fmt"
	"path/filepath"
)

// check finds what no client could make sense of.
func (r *Redis) check() []Finding {
	found := r.checkShape()
	if r.Address != "" && !filepath.IsAbs(r.Address) && badHostPort(r.Address) {
		found = append(found, Finding{"redis.address", "neither host:port nor the absolute path of a socket",
			"nothing is durable without it", "write it like 127.0.0.1:6379 or /run/redis/redis.sock"})
	}
	for i, address := range r.Addresses {
		if badHostPort(address) {
			found = append(found, Finding{fmt.Sprintf("redis.addresses[%d]", i), "not host:port",
				"Sentinels and nodes are reached by TCP only", "write it like 10.1.2.3:6379"})
		}
	}
	return found
}

// checkShape finds keys that do not go together: what is meant would be a guess.
func (r *Redis) checkShape() []Finding {
	var found []Finding
	add := func(wrong bool, key, what, why, fix string) {
		if wrong {
			found = append(found, Finding{key, what, why, fix})
		}
	}
	add(len(r.Places()) == 0, "redis", `missing key "address"`, "nothing is durable without it", "write address: 127.0.0.1:6379")
	add(len(r.Addresses) > 0 && r.Master == "" && !r.Cluster, "redis.addresses", "neither master nor cluster is set",
		"it is not told which of them holds the data", "set master: NAME if they are Sentinels, or cluster: true")
	add(r.Master != "" && r.Cluster, "redis.cluster", "master is set as well", "a cluster needs no Sentinels", "keep one of the two")
	add(r.Cluster && r.DB != 0, "redis.db", "not 0", "a cluster has only database 0", "leave db out")
	add((r.Master != "" || r.Cluster) && filepath.IsAbs(r.Address), "redis.address", "the path of a socket",
		"Sentinels and nodes are reached by TCP only", "write it like 10.1.2.3:6379")
	add(r.Master == "" && (r.SentinelUsername != "" || !r.SentinelPassword.IsZero()), "redis.master", "not set, but a user or password for Sentinels is",
		"they would be ignored", "set master, the primary's name among the Sentinels")
	add(r.Username != "" && r.Password.IsZero(), "redis.password", "not set, but username is",
		"a user without a password is never named to Redis", "set password as well, or leave both out")
	add(r.Master != "" && r.SentinelUsername != "" && r.SentinelPassword.IsZero(), "redis.sentinel_password", "not set, but sentinel_username is",
		"a user without a password is never named to the Sentinels", "set sentinel_password as well, or leave both out")
	return found
}
