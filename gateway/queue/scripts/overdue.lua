#!lua flags=allow-oom
-- Lists messages with photos whose text was promised by now, and pushes their
-- time on, so that two gateways do not see to one at once.
-- KEYS promised, data   ARGV at most, push on for (ms)
-- Answers for each: key, record.
local promised, data = KEYS[1], KEYS[2]

local bad = mistyped('zset', promised) or mistyped('hash', data)
if bad then return redis.error_reply(bad) end

local time, found = now(), {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', promised, '-inf', whole(time), 'LIMIT', 0, ARGV[1])) do
  local record = redis.call('HGET', data, key)
  if record then
    redis.call('ZADD', promised, whole(time + tonumber(ARGV[2])), key)
    found[#found + 1] = key
    found[#found + 1] = record
  else
    redis.call('ZREM', promised, key)
  end
end
return found
