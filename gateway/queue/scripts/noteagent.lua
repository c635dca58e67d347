#!lua
-- Notes an agent whom the issuer vouches for. Where too many are known, or one was not
-- seen for too long, those seen longest ago are forgotten.
-- KEYS agents, times   ARGV id, data, keep for (ms), most
-- Answers 1.
local agents, times, id = KEYS[1], KEYS[2], ARGV[1]

local bad = mistyped('hash', agents) or mistyped('zset', times)
if bad then return redis.error_reply(bad) end

local time = now()
local function forget(ids)
  for _, other in ipairs(ids) do
    redis.call('HDEL', agents, other)
    redis.call('ZREM', times, other)
  end
end
forget(redis.call('ZRANGEBYSCORE', times, '-inf', time - tonumber(ARGV[3])))
if not redis.call('ZSCORE', times, id) then
  forget(redis.call('ZRANGE', times, 0, -tonumber(ARGV[4])))
end
redis.call('HSET', agents, id, ARGV[2])
redis.call('ZADD', times, time, id)
redis.call('PEXPIRE', agents, ARGV[3])
redis.call('PEXPIRE', times, ARGV[3])
return 1
