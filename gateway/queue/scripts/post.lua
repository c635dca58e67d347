#!lua
-- Writes down a message to a consumer. Without allow-oom, because whoever asks
-- can be told that it was not taken.
-- KEYS outgoing, say, told   ARGV nonce, member, key, payload, keep for (ms)
-- Answers 1 if the message is new, else 0.
local outgoing, say, told = KEYS[1], KEYS[2], KEYS[3]

local bad = mistyped('zset', outgoing) or mistyped('list', say) or mistyped('string', told)
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', told)
if mark then return mark == 'waiting ' .. ARGV[1] and 1 or 0 end
post(outgoing, say, told, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
redis.call('SET', told, 'waiting ' .. ARGV[1], 'PX', ARGV[5])
return 1
