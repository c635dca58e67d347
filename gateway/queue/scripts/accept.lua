#!lua
-- Accepts the events of one request. Without allow-oom, so that a full Redis
-- refuses it before the first write.
-- KEYS inbox, photos, data, promised, lanes, then for each event: seen, conv,
--      message (seen where it names none)
-- ARGV nonce, seen for, idle for, promise for (ms), entries in a window, then for
--      each event: key, conversation to open if there is none, payload, kind
--      (message, edit, unsend, close), lane (or empty), digest (or empty)
-- Answers for each event: new (1 or 0), what became of it (accepted, withdrawn,
-- void, or repeated), conversation, seq, 1 if it differs from what was accepted.
local inbox, nonce = KEYS[1], ARGV[1]
local p = {photos = KEYS[2], data = KEYS[3], promised = KEYS[4], lanes = KEYS[5], most = tonumber(ARGV[5])}
local seen_for, idle_for, promise_for = ARGV[2], ARGV[3], tonumber(ARGV[4])

local function event(i)
  local k, a = 3 * i + 5, 6 * i + 5
  return {seen = KEYS[k + 1], conv = KEYS[k + 2], message = KEYS[k + 3], named = KEYS[k + 3] ~= KEYS[k + 1],
    key = ARGV[a + 1], opened = ARGV[a + 2], payload = ARGV[a + 3], kind = ARGV[a + 4], lane = ARGV[a + 5],
    digest = ARGV[a + 6]}
end

local bad = mistyped('stream', inbox, p.photos) or mistyped('hash', p.data) or mistyped('zset', p.promised)
  or mistyped('set', p.lanes) or miscounted(p.lanes)
local events = {}
for i = 0, (#KEYS - 5) / 3 - 1 do
  local e = event(i)
  bad = bad or mistyped('string', e.seen, e.message) or mistyped('hash', e.conv) or uncounted(e.conv, 'seq')
    or mislaned(p.lanes, e.lane)
  events[i + 1] = e
end
if bad then return redis.error_reply(bad) end

local clock = now()
local time = whole(clock)
local journaled = 0

-- journal writes an event down, and returns its mark.
local function journal(e, conversation, seq)
  local r = {conversation = conversation, seq = seq, at = time, tries = 0, lane = e.lane, payload = e.payload}
  if e.lane == '' then
    enter(inbox, e.key, r)
  else
    redis.call('HSET', p.data, e.key, written(r))
    redis.call('ZADD', p.promised, whole(clock + promise_for), e.key)
    queue_up(p, e.lane, e.key, time)
  end
  journaled = journaled + 1
  return 'accepted ' .. nonce .. ' ' .. conversation .. ' ' .. seq
end

-- Each of these decides what becomes of a new event, does it but for the mark,
-- and returns the mark.
local decide = {}

function decide.message(e)
  if e.named and unsent(e.message) then return 'withdrawn ' .. nonce .. ' -' end
  local conversation = redis.call('HGET', e.conv, 'id') or e.opened
  local seq = whole(tonumber(redis.call('HGET', e.conv, 'seq') or 0) + 1)
  local mark = journal(e, conversation, seq)
  redis.call('HSET', e.conv, 'id', conversation, 'seq', seq, 'last', time)
  redis.call('PEXPIRE', e.conv, idle_for)
  if e.named then
    remember(e.message, {state = 'live', key = e.key, conversation = conversation, seq = seq,
      edits = recalled(e.message).edits}, seen_for)
  end
  return mark
end

-- amend journals an event about a message, in the message's own conversation as
-- far as that is known.
local function amend(e, m)
  local conversation = m.conversation
  if conversation == '-' then conversation = redis.call('HGET', e.conv, 'id') or e.opened end
  return journal(e, conversation, m.seq)
end

function decide.edit(e)
  if unsent(e.message) then return 'withdrawn ' .. nonce .. ' -' end
  local m = recalled(e.message)
  local mark = amend(e, m)
  m.edits = m.edits .. ' ' .. e.key
  -- Not for longer than the message's own mark, without which the name is of no use.
  local left = redis.call('PTTL', e.message)
  remember(e.message, m, left > 0 and left or seen_for)
  return mark
end

function decide.unsend(e)
  if unsent(e.message) then return 'void ' .. nonce end
  local m = recalled(e.message)
  local mark = amend(e, m)
  m.state = 'gone'
  remember(e.message, m, seen_for)
  return mark
end

function decide.close(e)
  local conversation = redis.call('HGET', e.conv, 'id')
  if not conversation then return 'void ' .. nonce end
  local mark = journal(e, conversation, '0')
  redis.call('DEL', e.conv)
  return mark
end

-- outlived is the mark of a message with photos that has outlived its own: it
-- waited for longer than repeats are recognised, and a second time is still one.
local function outlived(e)
  if e.lane == '' then return end
  local record = redis.call('HGET', p.data, e.key)
  if not record then return end
  local r = parsed(record)
  return 'accepted 0' .. (r and ' ' .. r.conversation .. ' ' .. r.seq or '')
end

local answers, listed = {}, {}
for i, e in ipairs(events) do
  local mark = redis.call('GET', e.seen)
  if not mark then
    mark = outlived(e) or decide[e.kind](e)
    if e.digest ~= '' then mark = mark .. ' #' .. e.digest end
    redis.call('SET', e.seen, mark, 'PX', seen_for)
  end
  local what, by = string.match(mark, '^(%a+) (%x+)')
  local conversation, seq = string.match(mark, '^accepted %x+ (%x+) (%d+)')
  local digest = string.match(mark, ' #(%x+)$')
  -- An event that one request lists twice is new once, also in the answer to
  -- this very request's repeat.
  local new = by == nonce and not listed[e.key]
  listed[e.key] = true
  answers[i] = {new and 1 or 0, new and what or 'repeated', conversation or '', seq or '0',
    digest and e.digest ~= '' and digest ~= e.digest and 1 or 0}
end
-- Once for all of them, behind the marks: it counts, and decides nothing.
if journaled > 0 then tally(p.lanes, 'accepted', journaled) end
return answers
