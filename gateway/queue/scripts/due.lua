#!lua flags=allow-oom
-- Moves entries whose time has come back to the inbox. A repeat needs no mark:
-- what has been moved is no longer there to be moved again. A record that cannot
-- be read may be a newer release's: it stays, and steps back for a while so that
-- it keeps no other from its turn.
-- KEYS inbox, delayed, records   ARGV at most, step back for (ms)
-- Answers the number moved, the keys that had no record, and the keys whose
-- record cannot be read.
local inbox, delayed, records = KEYS[1], KEYS[2], KEYS[3]
local limit, back_for = ARGV[1], tonumber(ARGV[2])

local bad = mistyped('stream', inbox) or mistyped('zset', delayed) or mistyped('hash', records)
if bad then return redis.error_reply(bad) end

local moved, lost, unread = 0, {}, {}
local time = now()
for _, key in ipairs(redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(time), 'LIMIT', 0, limit)) do
  local record = redis.call('HGET', records, key) or ''
  local head = string.find(record, '\n', 1, true)
  local conversation, seq, at, tries = string.match(
    string.sub(record, 1, head or 0), '^1 (%x+) (%d+) (%d+) (%d+)\n$')
  if conversation then
    enter(inbox, key, conversation, seq, at, tries, string.sub(record, head + 1))
    redis.call('HDEL', records, key)
    redis.call('ZREM', delayed, key)
    moved = moved + 1
  elseif record == '' then
    redis.call('ZREM', delayed, key)
    lost[#lost + 1] = key
  else
    redis.call('ZADD', delayed, whole(time + back_for), key)
    unread[#unread + 1] = key
  end
end
return {moved, lost, unread}
