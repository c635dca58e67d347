#!lua
-- Writes down an agent's sign-in. Where an agent has too many, the oldest end.
-- Without allow-oom, because whoever signs in can be told to come again.
-- KEYS session, list of the agent's   ARGV name, data, time to live (ms), most
-- Answers 1 if the session is this one, else 0.
local session, list, name, life = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[3])

local bad = mistyped('string', session) or mistyped('zset', list)
if bad then return redis.error_reply(bad) end

local known = redis.call('GET', session)
if known then return known == ARGV[2] and 1 or 0 end
local time = now()
redis.call('ZREMRANGEBYSCORE', list, '-inf', time)
local old = redis.call('ZRANGE', list, 0, -tonumber(ARGV[4]))
for _, other in ipairs(old) do
  redis.call('DEL', string.sub(session, 1, -#name - 1) .. other)
  redis.call('ZREM', list, other)
end
redis.call('ZADD', list, time + life, name)
redis.call('PEXPIRE', list, math.max(life, redis.call('PTTL', list)))
redis.call('SET', session, ARGV[2], 'PX', life)
return 1
