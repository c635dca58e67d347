#!lua flags=allow-oom
-- Forgets dead letters that nobody has looked after for long, and the oldest
-- where they take up too much, and counts some that have not been. A repeat needs
-- no mark: what is gone cannot be removed again, and what is counted is not again.
-- KEYS dead, letters   ARGV older than (ms), bytes that all may take up, at most
-- Answers the numbers removed for their age and for their bytes.
local dead, letters = KEYS[1], KEYS[2]
local most, limit = tonumber(ARGV[2]), tonumber(ARGV[3])

local bad = mistyped('zset', dead) or mistyped('hash', letters) or uncounted(letters, 'bytes', 'counted')
if bad then return redis.error_reply(bad) end

-- count_older counts letters of a release that did not, the latest first, with all
-- of one millisecond at once.
local function count_older()
  local since = redis.call('HGET', letters, 'counted')
  local older = redis.call('ZREVRANGEBYSCORE', dead, '(' .. since, '-inf', 'LIMIT', 0, limit)
  local from, bytes = '0', 0
  if #older == limit then
    from = redis.call('ZSCORE', dead, older[limit])
    older = redis.call('ZRANGEBYSCORE', dead, from, '(' .. since)
  end
  for _, key in ipairs(older) do bytes = bytes + redis.call('HSTRLEN', letters, key) end
  redis.call('HINCRBY', letters, 'bytes', bytes)
  redis.call('HSET', letters, 'counted', from)
end

if redis.call('ZCARD', dead) > 0 then
  count_letters(dead, letters)
  if redis.call('HGET', letters, 'counted') ~= '0' then count_older() end
end
local before = whole(now() - tonumber(ARGV[1]))
local old = redis.call('ZRANGEBYSCORE', dead, '-inf', '(' .. before, 'LIMIT', 0, limit)
for _, key in ipairs(old) do forget_letter(dead, letters, key) end
return {#old, trim_letters(dead, letters, most, limit - #old)}
