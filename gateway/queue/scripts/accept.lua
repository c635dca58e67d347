#!lua
-- Accepts the events of one request. Without allow-oom, so that a full Redis
-- refuses it before the first write.
-- KEYS inbox, photos, data, promised, lanes, then for each event: seen, conv,
--      message (seen where it names none)
-- ARGV nonce, seen for, idle for, promise for (ms), entries in a window, for how
--      long a party's last conversation is remembered when it is over (ms, or 0),
--      then for each event: key, conversation to open if there is none, payload, kind
--      (message, edit, unsend, close), lane (or empty), digest (or empty), the party
--      and when it was received, if that was not just now (or empty)
-- Answers for each event: new (1 or 0), what became of it (accepted, withdrawn,
-- void, or repeated), conversation, seq, 1 if it differs from what was accepted.
local inbox, nonce = KEYS[1], ARGV[1]
local p = {photos = KEYS[2], data = KEYS[3], promised = KEYS[4], lanes = KEYS[5], most = tonumber(ARGV[5])}
local seen_for, idle_for, promise_for, prev_for = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])

local function event(i)
  local k, a = 3 * i + 5, 7 * i + 6
  return {seen = KEYS[k + 1], conv = KEYS[k + 2], message = KEYS[k + 3], named = KEYS[k + 3] ~= KEYS[k + 1],
    key = ARGV[a + 1], opened = ARGV[a + 2], payload = ARGV[a + 3], kind = ARGV[a + 4], lane = ARGV[a + 5],
    digest = ARGV[a + 6], said = ARGV[a + 7]}
end

-- What was read once is not read again until it is written: each question costs,
-- and most events of a request have nothing to do with each other.
local marks, convs = {}, {}

-- marked returns what a string key holds, or false; and an error's text if it
-- holds another type.
local function marked(key)
  if marks[key] == nil then
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then return false, mistyped('string', key) end
    marks[key] = value
  end
  return marks[key]
end

-- open returns a party's conversation and the number of its last message; and an
-- error's text if the key holds another type, or no number.
local function open(conv)
  if not convs[conv] then
    local found = redis.pcall('HMGET', conv, 'id', 'seq')
    if found.err then return nil, 0, mistyped('hash', conv) end
    if found[2] and not (string.match(found[2], '^%-?%d+$') and #found[2] < 16) then
      return nil, 0, 'WRONGVALUE ' .. conv .. ' has a seq that is no number'
    end
    convs[conv] = {id = found[1] or nil, seq = tonumber(found[2] or 0)}
  end
  return convs[conv].id, convs[conv].seq
end

local bad = mistyped('stream', inbox, p.photos) or mistyped('hash', p.data) or mistyped('zset', p.promised)
  or mistyped('set', p.lanes) or miscounted(p.lanes)
local events, sound = {}, {}
for i = 0, (#KEYS - 5) / 3 - 1 do
  local e = event(i)
  bad = bad or select(2, marked(e.seen)) or select(2, marked(e.message)) or select(3, open(e.conv))
  if not sound[e.lane] then
    bad = bad or mislaned(p.lanes, e.lane)
    sound[e.lane] = true
  end
  if e.said ~= '' then bad = bad or mistyped('zset', forgotten_of(p.lanes)) end
  events[i + 1] = e
end
if bad then return redis.error_reply(bad) end

-- gone is unsent, and note is remember, for what was read already.
local function gone(e) return string.sub(marked(e.message) or '', 1, 4) == 'gone' end

local function note(e, m, keep_for)
  remember(e.message, m, keep_for)
  marks[e.message] = nil
end

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
    tally_lane(p.lanes, 'accepted', e.lane, 1)
  end
  journaled = journaled + 1
  return 'accepted ' .. nonce .. ' ' .. conversation .. ' ' .. seq
end

-- Each of these decides what becomes of a new event, does it but for the mark,
-- and returns the mark.
local decide = {}

function decide.message(e)
  if e.named and gone(e) then return 'withdrawn ' .. nonce .. ' -' end
  local conversation, last = open(e.conv)
  conversation = conversation or e.opened
  local seq = whole(last + 1)
  local mark = journal(e, conversation, seq)
  redis.call('HSET', e.conv, 'id', conversation, 'seq', seq, 'last', time)
  redis.call('PEXPIRE', e.conv, idle_for)
  convs[e.conv] = nil
  if e.named then
    note(e, {state = 'live', key = e.key, conversation = conversation, seq = seq,
      edits = marked(e.message) and recalled(e.message).edits or ''}, seen_for)
  end
  return mark
end

-- amend journals an event about a message, in the message's own conversation as
-- far as that is known.
local function amend(e, m)
  local conversation = m.conversation
  if conversation == '-' then conversation = open(e.conv) or e.opened end
  return journal(e, conversation, m.seq)
end

-- most_edits is how many of a message are taken in: an unsend goes through all of
-- them, and each reads and writes the list. It is far above any platform's limit.
local most_edits = 100

function decide.edit(e)
  if gone(e) then return 'withdrawn ' .. nonce .. ' -' end
  local m = recalled(e.message)
  if select(2, string.gsub(m.edits, ' ', '')) >= most_edits then return 'void ' .. nonce end
  local mark = amend(e, m)
  m.edits = m.edits .. ' ' .. e.key
  -- Not for longer than the message's own mark, without which the name is of no use.
  local left = redis.call('PTTL', e.message)
  note(e, m, left > 0 and left or seen_for)
  return mark
end

function decide.unsend(e)
  if gone(e) then return 'void ' .. nonce end
  local m = recalled(e.message)
  local mark = amend(e, m)
  m.state = 'gone'
  note(e, m, seen_for)
  return mark
end

function decide.close(e)
  local conversation = open(e.conv)
  if not conversation then return 'void ' .. nonce end
  local mark = journal(e, conversation, '0')
  over(e.conv, conversation, prev_for)
  convs[e.conv] = nil
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
  local mark = marked(e.seen)
  if not mark then
    mark = outlived(e) or was_forgotten(p.lanes, e.said) and 'withdrawn ' .. nonce .. ' -' or decide[e.kind](e)
    if e.digest ~= '' then mark = mark .. ' #' .. e.digest end
    redis.call('SET', e.seen, mark, 'PX', seen_for)
    marks[e.seen] = mark
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
