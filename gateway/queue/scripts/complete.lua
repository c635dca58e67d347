#!lua flags=allow-oom
-- Ends an entry: its document, if there is one, goes into the agents' queue, its
-- letter among the dead, its notice to the consumer; what an unsend is about is
-- destroyed; and the entry leaves the journal.
-- KEYS an entry's, message (seen where nothing can be unsent), out, dead, letters,
--      delayed, records, delayed photos, outgoing, conv (work where it does not
--      matter), say, noticed, notice (seen without one), head (seen where nothing
--      happens to the conversation), then of each event that is destroyed: seen, work
-- ARGV an entry's, conversation, document, letter, 1 if the document says that it
--      is late, the id under which the document says that it was told, the
--      notice's member, key and payload, the shortest time between two notices,
--      the time for which they are counted (ms), and how many there may be in it,
--      an update of the conversation, then of each event that is destroyed: key,
--      entries in the agents' queue; and last the party and when the event was
--      accepted (or empty)
-- Answers mine, other, withdrawn, or late or told if the document should say so.
local e, bad = entry()
local message, out, dead, letters = KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local delayed, records, delayed_photos, outgoing = KEYS[15], KEYS[16], KEYS[17], KEYS[18]
local conv, say, noticed, notice = KEYS[19], KEYS[20], KEYS[21], KEYS[22]
local conversation, document, letter, late, told = ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]

bad = bad or mistyped('stream', out) or mistyped('hash', letters, records, conv)
  or mistyped('zset', dead, delayed, delayed_photos, outgoing) or mistyped('string', message, notice)
  or mistyped('list', say, noticed)
bad = bad or uncounted(letters, 'bytes', 'counted')
local chat, news = update(KEYS[23], 18)
if chat then bad = bad or read_head(chat, news.party, news.id) end
local erased = {}
for i = 24, #KEYS, 2 do
  local a = i - 5 + update_size
  local target = {seen = KEYS[i], work = KEYS[i + 1], key = ARGV[a], entries = ARGV[a + 1]}
  bad = bad or mistyped('string', target.seen) or mistyped('hash', target.work)
  target.record = not bad and parsed(redis.call('HGET', e.data, target.key) or '')
  if target.record then bad = mislaned(e.lanes, target.record.lane) end
  erased[#erased + 1] = target
end
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', e.seen) or ''
local what, by = string.match(mark, '^(%a+) (%x+)')
if by == e.attempt and what == 'done' then return 'mine' end
if by == e.attempt and what == 'withdrawn' then return 'withdrawn' end
-- The dead letter that this has made may have been revived before its repeat, and
-- still names this attempt's pictures.
if not holds(e) then return letter ~= '' and named_still(e, mark) and 'mine' or 'other' end
if settled(mark) then
  finish(e)
  redis.call('DEL', e.work)
  return 'other'
end
if message ~= e.seen and unsent(message) or was_forgotten(e.lanes, ARGV[#ARGV]) then
  withdraw(e, '-')
  return 'withdrawn'
end
local as = string.match(redis.call('HGET', e.told, e.key) or '', '^%S+')
if as and document ~= '' and as ~= told then return 'told' end
local open = conv == e.work or redis.call('HGET', conv, 'id') == conversation
if not as and document ~= '' and not open and late ~= '1' then return 'late' end

-- What an unsend is about is destroyed wherever it is. What stands in a stream or
-- is in work finds that out when it is begun, put off or completed.
local function erase(t)
  for id in string.gmatch(t.entries, '%S+') do redis.call('XDEL', out, id) end
  forget_letter(dead, letters, t.key)
  redis.call('HDEL', records, t.key)
  local put_off = redis.call('ZREM', delayed, t.key) + redis.call('ZREM', delayed_photos, t.key) > 0
  if t.record then
    local _, window = laned(e.lanes, t.record.lane)
    if not put_off and redis.call('HEXISTS', window, t.key) == 1 then return end
    forget(e, t.record.lane, t.key)
  elseif not put_off then
    return
  else
    tally(e.lanes, 'finished', 1)
  end
  redis.call('DEL', t.work)
  redis.call('SET', t.seen, 'withdrawn ' .. e.attempt .. ' -', 'PX', e.keep_for)
end

-- A notice is left out where the consumer has had enough of them, and where this
-- event has had its own: a dead letter that was revived may fail again.
local function notify(member, key, payload, gap, span, most)
  if redis.call('EXISTS', notice) == 1 then return end
  local time = now()
  local newest, oldest = redis.call('LINDEX', noticed, 0), redis.call('LINDEX', noticed, most - 1)
  if newest and time - (tonumber(newest) or 0) < gap then return end
  if oldest and time - (tonumber(oldest) or 0) < span then return end
  redis.call('LPUSH', noticed, whole(time))
  redis.call('LTRIM', noticed, 0, most - 1)
  redis.call('PEXPIRE', noticed, span)
  post(outgoing, say, notice, member, key, payload, e.keep_for)
  if chat then noted(chat, e.key, key) end
end

for _, target in ipairs(erased) do erase(target) end
local entry_id = document ~= '' and redis.call('XADD', out, '*', 'event', document) or '-'
if letter ~= '' then
  keep_letter(dead, letters, e.key, letter)
elseif buried(mark) then
  forget_letter(dead, letters, e.key)
end
if chat then happen[news.kind](chat, news, as) end
if ARGV[14] ~= '' and open then
  notify(ARGV[13], ARGV[14], ARGV[15], tonumber(ARGV[16]), tonumber(ARGV[17]), tonumber(ARGV[18]))
end
mark = 'done ' .. e.attempt .. ' ' .. entry_id .. trail(e, e.key, mark)
if e.lane ~= '' then
  redis.call('HDEL', e.attempts, e.attempt)
  for kept in string.gmatch(redis.call('HGET', e.kept, e.key) or '', '%x+') do
    redis.call('HDEL', e.attempts, kept)
  end
end
finish(e)
redis.call('DEL', e.work)
redis.call('SET', e.seen, mark, 'PX', e.keep_for)
return 'mine'
