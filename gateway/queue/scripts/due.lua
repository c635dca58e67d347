#!lua flags=allow-oom
-- Moves entries whose time has come back to the inbox. A repeat needs no mark:
-- what has been moved is no longer there to be moved again.
-- KEYS inbox, delayed, records   ARGV at most
-- Answers the number moved, then the keys for which there was no record.
local inbox, delayed, records = KEYS[1], KEYS[2], KEYS[3]

local bad = mistyped('stream', inbox) or mistyped('zset', delayed) or mistyped('hash', records)
if bad then return redis.error_reply(bad) end

local answer = {0}
local due = redis.call('ZRANGEBYSCORE', delayed, '-inf', whole(now()), 'LIMIT', 0, ARGV[1])
for _, key in ipairs(due) do
  local record = redis.call('HGET', records, key) or ''
  local head = string.find(record, '\n', 1, true)
  local conversation, seq, at, tries = string.match(
    string.sub(record, 1, head or 0), '^1 (%x+) (%d+) (%d+) (%d+)\n$')
  if conversation then
    redis.call('XADD', inbox, '*', 'v', 1, 'key', key, 'conv', conversation, 'seq', seq,
      'at', at, 'tries', tries, 'payload', string.sub(record, head + 1))
    answer[1] = answer[1] + 1
  else
    answer[#answer + 1] = key
  end
  redis.call('HDEL', records, key)
  redis.call('ZREM', delayed, key)
end
return answer
