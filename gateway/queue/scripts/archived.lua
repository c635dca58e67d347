#!lua flags=allow-oom
-- Takes a closed conversation out of Redis, if it still is what is in the archive. It
-- stays for another while if something that was said in it has not been sent.
-- KEYS head, say   ARGV version, the while (ms)
-- Answers 1 if the conversation is not here any more, else 0.
local c, say, version, another = conversation(KEYS[1]), KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2])

local bad = read_head(c, '') or mistyped('list', say)
if bad then return redis.error_reply(bad) end

if not c.there then
  redis.call('ZREM', c.over, c.id)
  return 1
end
if c.state ~= 'closed' or c.version ~= version then return 0 end
if redis.call('EXISTS', say) == 1 then
  redis.call('ZADD', c.over, whole(now() + another), c.id)
  return 0
end
redis.call('DEL', c.head, c.items, c.order)
redis.call('ZREM', c.over, c.id)
redis.call('ZREM', c.idle, c.id)
redis.call('SREM', c.of, c.id)
changed(c, nil, 1)
return 1
