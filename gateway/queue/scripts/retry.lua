#!lua flags=allow-oom
-- Puts an entry off. Its starts stay counted but for this one, which ended in
-- an orderly way.
-- KEYS an entry's, message (seen where the entry is none), delayed and records of
--      its kind, head (seen where the conversation is not to hear of it)
-- ARGV an entry's, record, after (ms), cause, 1 to hold its place in the window,
--      1 to keep the attempt's blobs, 1 if it has none, the party and when it was
--      accepted (or empty)
-- Answers mine, other or withdrawn.
local e, bad = entry()
local message, delayed, records = KEYS[11], KEYS[12], KEYS[13]
local record, after, cause, hold, keep, empty = ARGV[8], tonumber(ARGV[9]), ARGV[10], ARGV[11], ARGV[12], ARGV[13]

bad = bad or mistyped('string', message) or mistyped('zset', delayed) or mistyped('hash', records)
if not parsed(record) then bad = bad or 'WRONGVALUE the record of ' .. e.key .. ' cannot be read' end
local chat = KEYS[14] ~= e.seen and conversation(KEYS[14])
if chat then
  local head, wrong = fields(chat.head, 'agent', 'state')
  chat.agent, chat.there = head[1] or '', head[2]
  bad = bad or wrong or mistyped('stream', chat.changes)
end
if bad then return redis.error_reply(bad) end

if redis.call('HGET', e.work, 'last') == e.attempt then return 'mine' end
local mark = redis.call('GET', e.seen)
if string.match(mark or '', '^withdrawn (%x+)') == e.attempt then return 'withdrawn' end
if not holds(e) then return keep == '1' and named_still(e, mark) and 'mine' or 'other' end
if message ~= e.seen and unsent(message) or was_forgotten(e.lanes, ARGV[#ARGV]) then
  withdraw(e, '-')
  return 'withdrawn'
end
redis.call('HSET', records, e.key, record)
local added = redis.call('ZADD', delayed, whole(now() + after), e.key)
-- One that was accepted again after its mark had expired is put off with the other.
if e.lane == '' then tally(e.lanes, 'finished', 1 - added) end
drop(e.stream, e.id)
if e.lane ~= '' and keep == '1' then
  local kept = redis.call('HGET', e.kept, e.key)
  redis.call('HSET', e.kept, e.key, (kept and kept .. ' ' or '') .. e.attempt)
end
if empty == '1' then redis.call('HDEL', e.attempts, e.attempt) end
if e.lane ~= '' and hold == '1' then
  local _, window = laned(e.lanes, e.lane)
  redis.call('HSET', window, e.key, '-')
else
  depart(e, e.lane, e.key)
end
-- Whoever sees the photos as pending is to see that this was not the last try.
if chat and chat.there and redis.call('HEXISTS', e.told, e.key) == 1 then changed(chat, e.key) end
redis.call('HINCRBY', e.work, 'starts', -1)
redis.call('HSET', e.work, 'cause', cause, 'last', e.attempt)
return 'mine'
