#!lua flags=allow-oom
-- Ends all of an agent's sign-ins. A repeat needs no mark: what is gone cannot be
-- ended again.
-- KEYS list of the agent's   ARGV what stands before a session's name
-- Answers the number that ended.
local list = KEYS[1]

local bad = mistyped('zset', list)
if bad then return redis.error_reply(bad) end

local ended = 0
for _, name in ipairs(redis.call('ZRANGE', list, 0, -1)) do
  ended = ended + redis.call('DEL', ARGV[1] .. name)
end
redis.call('DEL', list)
return ended
