#!lua flags=allow-oom
-- Forgets dead letters that nobody has looked after for long. A repeat needs no
-- mark: what is gone cannot be removed again.
-- KEYS dead, letters   ARGV older than (ms), at most
-- Answers the number removed.
local dead, letters = KEYS[1], KEYS[2]

local bad = mistyped('zset', dead) or mistyped('hash', letters)
if bad then return redis.error_reply(bad) end

local before = whole(now() - tonumber(ARGV[1]))
local old = redis.call('ZRANGEBYSCORE', dead, '-inf', '(' .. before, 'LIMIT', 0, ARGV[2])
for _, key in ipairs(old) do
  redis.call('HDEL', letters, key)
  redis.call('ZREM', dead, key)
end
return #old
