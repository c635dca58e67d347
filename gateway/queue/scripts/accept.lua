#!lua
-- Accepts the events of one request. Without allow-oom, so that a full Redis
-- refuses it before the first write.
-- KEYS inbox, then for each event: seen, conv, message (seen where it names none)
-- ARGV nonce, seen for, idle for (ms), then for each event: key, conversation
--      to open if there is none, payload, kind (message, edit, unsend, close)
-- Answers for each event: new (1 or 0), what became of it (accepted, withdrawn,
-- void, or repeated), conversation, seq.
local inbox, nonce, seen_for, idle_for = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local count = (#KEYS - 1) / 3

local bad = mistyped('stream', inbox)
for i = 0, count - 1 do
  local seen, conv, message = KEYS[3 * i + 2], KEYS[3 * i + 3], KEYS[3 * i + 4]
  bad = bad or mistyped('string', seen, message) or mistyped('hash', conv) or uncounted(conv, 'seq')
end
if bad then return redis.error_reply(bad) end

local time = whole(now())

-- journal writes an event down, and returns its mark.
local function journal(key, conversation, seq, payload)
  enter(inbox, key, conversation, seq, time, 0, payload)
  return 'accepted ' .. nonce .. ' ' .. conversation .. ' ' .. seq
end

-- Each of these decides what becomes of a new event, does it but for the mark,
-- and returns the mark.
local decide = {}

function decide.message(e)
  if e.named and unsent(e.message) then return 'withdrawn ' .. nonce end
  local conversation = redis.call('HGET', e.conv, 'id') or e.opened
  local seq = whole(tonumber(redis.call('HGET', e.conv, 'seq') or 0) + 1)
  local mark = journal(e.key, conversation, seq, e.payload)
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
  return journal(e.key, conversation, m.seq, e.payload)
end

function decide.edit(e)
  if unsent(e.message) then return 'withdrawn ' .. nonce end
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
  local mark = journal(e.key, conversation, '0', e.payload)
  redis.call('DEL', e.conv)
  return mark
end

local answers, listed = {}, {}
for i = 0, count - 1 do
  local e = {seen = KEYS[3 * i + 2], conv = KEYS[3 * i + 3], message = KEYS[3 * i + 4],
    key = ARGV[4 * i + 4], opened = ARGV[4 * i + 5], payload = ARGV[4 * i + 6]}
  e.named = e.message ~= e.seen
  local mark = redis.call('GET', e.seen)
  if not mark then
    mark = decide[ARGV[4 * i + 7]](e)
    redis.call('SET', e.seen, mark, 'PX', seen_for)
  end
  local what, by, conversation, seq = string.match(mark, '^(%a+) (%x+) ?(%x*) ?(%d*)$')
  -- An event that one request lists twice is new once, also in the answer to
  -- this very request's repeat.
  local new = by == nonce and not listed[e.key]
  listed[e.key] = true
  if what ~= 'accepted' then conversation, seq = '', '0' end
  answers[i + 1] = {new and 1 or 0, new and what or 'repeated', conversation or '', seq or '0'}
end
return answers
