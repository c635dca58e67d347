#!lua flags=allow-oom
-- Ends an entry: its document, if there is one, goes into the agents' queue, its
-- letter among the dead, its notice to the consumer; what an unsend is about is
-- destroyed; and the entry leaves the journal.
-- KEYS inbox, work, seen, out, dead, letters, delayed, records, outgoing,
--      message (seen where nothing can be unsent), conv (work where it does not
--      matter), say, noticed, told (seen without a notice), then of each event
--      that is destroyed: seen
-- ARGV id, consumer, attempt, keep for (ms), key, conversation, document, letter,
--      1 if the document says that it is late, the notice's member, key and
--      payload, the shortest time between two notices, the time for which they
--      are counted (ms), and how many there may be in it, then of each event that
--      is destroyed: key, entry in the agents' queue
-- Answers mine, other, withdrawn, or late if the document should say so.
local inbox, work, seen, out, dead, letters = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local delayed, records, outgoing, message, conv = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local say, noticed, told = KEYS[12], KEYS[13], KEYS[14]
local id, consumer, attempt, keep_for, key = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local conversation, document, letter, late = ARGV[6], ARGV[7], ARGV[8], ARGV[9]

local bad = mistyped('stream', inbox, out) or mistyped('hash', work, letters, records, conv)
  or mistyped('zset', dead, delayed, outgoing) or mistyped('string', seen, message, told)
  or mistyped('list', say, noticed)
for i = 15, #KEYS do bad = bad or mistyped('string', KEYS[i]) end
bad = bad or uncounted(letters, 'bytes')
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen) or ''
local what, by = string.match(mark, '^(%a+) (%x+)')
if by == attempt and what == 'done' then return 'mine' end
if by == attempt and what == 'withdrawn' then return 'withdrawn' end
if not holds(inbox, work, id, consumer, attempt) then return 'other' end
if settled(mark ~= '' and mark) then
  drop(inbox, id)
  redis.call('DEL', work)
  return 'other'
end
if message ~= seen and unsent(message) then
  drop(inbox, id)
  redis.call('DEL', work)
  redis.call('SET', seen, 'withdrawn ' .. attempt .. ' -', 'PX', keep_for)
  return 'withdrawn'
end
local open = conv == work or redis.call('HGET', conv, 'id') == conversation
if document ~= '' and not open and late ~= '1' then return 'late' end

-- What an unsend is about is destroyed wherever it is. What is in the journal
-- itself finds that out when it is begun or completed.
local function erase(target, erased, entry)
  if entry ~= '' then redis.call('XDEL', out, entry) end
  forget_letter(dead, letters, target)
  redis.call('HDEL', records, target)
  if redis.call('ZREM', delayed, target) == 1 then
    redis.call('SET', erased, 'withdrawn ' .. attempt .. ' -', 'PX', keep_for)
  end
end

-- A notice is left out where the consumer has had enough of them.
local function notify(member, notice, payload, gap, span, most)
  local time = now()
  local newest, oldest = redis.call('LINDEX', noticed, 0), redis.call('LINDEX', noticed, most - 1)
  if newest and time - (tonumber(newest) or 0) < gap then return end
  if oldest and time - (tonumber(oldest) or 0) < span then return end
  redis.call('LPUSH', noticed, whole(time))
  redis.call('LTRIM', noticed, 0, most - 1)
  redis.call('PEXPIRE', noticed, span)
  post(outgoing, say, told, member, notice, payload, keep_for)
end

for i = 15, #KEYS do erase(ARGV[2 * i - 14], KEYS[i], ARGV[2 * i - 13]) end
local entry = document ~= '' and redis.call('XADD', out, '*', 'event', document) or '-'
if letter ~= '' then
  keep_letter(dead, letters, key, letter)
end
if ARGV[11] ~= '' and open then
  notify(ARGV[10], ARGV[11], ARGV[12], tonumber(ARGV[13]), tonumber(ARGV[14]), tonumber(ARGV[15]))
end
drop(inbox, id)
redis.call('DEL', work)
redis.call('SET', seen, 'done ' .. attempt .. ' ' .. entry, 'PX', keep_for)
return 'mine'
