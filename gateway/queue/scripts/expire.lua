#!lua flags=allow-oom
-- Forgets dead letters that nobody has looked after for long, and the oldest
-- where they take up too much. A repeat needs no mark: what is gone cannot be
-- removed again.
-- KEYS dead, letters   ARGV older than (ms), bytes that all may take up, at most
-- Answers the numbers removed for their age and for their bytes.
local dead, letters = KEYS[1], KEYS[2]
local most, limit = tonumber(ARGV[2]), tonumber(ARGV[3])

local bad = mistyped('zset', dead) or mistyped('hash', letters) or uncounted(letters, 'bytes')
if bad then return redis.error_reply(bad) end

local before = whole(now() - tonumber(ARGV[1]))
local old = redis.call('ZRANGEBYSCORE', dead, '-inf', '(' .. before, 'LIMIT', 0, limit)
for _, key in ipairs(old) do forget_letter(dead, letters, key) end
return {#old, trim_letters(dead, letters, most, limit - #old)}
