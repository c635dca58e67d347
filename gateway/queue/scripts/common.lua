-- What the scripts share. It stands before each of them, and defines nothing
-- but local functions, so it writes nothing.

-- mistyped returns an error's text if one of the keys holds another type. A
-- script asks for all its keys before it writes: a script that fails half-way
-- keeps what it has written.
local function mistyped(kind, ...)
  for _, key in ipairs({...}) do
    local found = redis.call('TYPE', key)
    found = found.ok or found
    if found ~= 'none' and found ~= kind then
      return 'WRONGTYPE ' .. key .. ' is a ' .. found .. ' and should be a ' .. kind
    end
  end
end

-- uncounted returns an error's text if a hash's fields are there but no numbers
-- that can be counted up.
local function uncounted(key, ...)
  for i, value in ipairs(redis.call('HMGET', key, ...)) do
    if value and not (string.match(value, '^%-?%d+$') and #value < 16) then
      return 'WRONGVALUE ' .. key .. ' has a ' .. select(i, ...) .. ' that is no number'
    end
  end
end

-- whole writes a number without the exponent that tostring gives large ones.
local function whole(number)
  return string.format('%.0f', number)
end

-- now is Redis' own clock in milliseconds: workers' clocks differ.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- named makes a table of a reply that lists names and values in turn.
local function named(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- group returns what Redis tells of a stream's group, or nil. Most commands
-- take a missing one for an error.
local function group(stream, name)
  if redis.call('EXISTS', stream) == 0 then return end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    local info = named(flat)
    if info.name == name then return info end
  end
end

-- consumers lists what Redis tells of a group's consumers; no group has none.
local function consumers(stream, name)
  local found = {}
  if group(stream, name) then
    for i, flat in ipairs(redis.call('XINFO', 'CONSUMERS', stream, name)) do
      found[i] = named(flat)
    end
  end
  return found
end

-- owner returns the consumer in whose hands an entry is, or nil.
local function owner(inbox, id)
  local pending = redis.call('XPENDING', inbox, 'workers', id, id, 1)[1]
  return pending and pending[2]
end

-- A lane is one account's messages with photos. Those in its window stand in the
-- stream, are in work, or hold their place while they are put off; the others
-- wait in its line, each as its key and the time of its acceptance. A lane's two
-- keys are made of the name of the set of lanes, which is in the same slot.
local function laned(lanes, lane)
  local slot = string.sub(lanes, 1, -#'lanes' - 1)
  return slot .. 'lane:' .. lane, slot .. 'window:' .. lane
end

-- What enters the journal and what leaves it for good is counted, so that the
-- difference is what must be in it. The count's key is made of the same name.
local function counts_of(lanes)
  return string.sub(lanes, 1, -#'lanes' - 1) .. 'counts'
end

local function miscounted(lanes)
  local counts = counts_of(lanes)
  return mistyped('hash', counts) or uncounted(counts, 'accepted', 'finished')
end

local function tally(lanes, what, n)
  redis.call('HINCRBY', counts_of(lanes), what, n)
end

-- tally_lane counts those of one lane besides, for its rates.
local function tally_lane(lanes, what, lane, n)
  tally(lanes, what .. ':' .. lane, n)
end

-- mislaned is mistyped for the keys of a lane, and uncounted for its counts; no lane
-- has none.
local function mislaned(lanes, lane)
  if lane == '' then return end
  local line, window = laned(lanes, lane)
  local counts = counts_of(lanes)
  return mistyped('list', line) or mistyped('hash', window, counts)
    or uncounted(counts, 'accepted:' .. lane, 'finished:' .. lane)
end

-- entry reads what every script about an entry in a worker's hands is given
-- first: ten keys and seven arguments. It returns an error's text besides if one
-- of the keys holds another type.
local function entry()
  local e = {stream = KEYS[1], work = KEYS[2], seen = KEYS[3], photos = KEYS[4], data = KEYS[5],
    promised = KEYS[6], told = KEYS[7], kept = KEYS[8], attempts = KEYS[9], lanes = KEYS[10],
    id = ARGV[1], consumer = ARGV[2], attempt = ARGV[3], key = ARGV[4], lane = ARGV[5],
    most = tonumber(ARGV[6]), keep_for = ARGV[7]}
  return e, mistyped('stream', e.stream, e.photos) or mistyped('string', e.seen)
    or mistyped('hash', e.work, e.data, e.told, e.kept, e.attempts) or mistyped('zset', e.promised)
    or mistyped('set', e.lanes) or mislaned(e.lanes, e.lane) or miscounted(e.lanes)
    or uncounted(e.work, 'starts')
end

-- holds is the fence: the entry is still this consumer's, and no later attempt
-- of the same consumer has begun.
local function holds(e)
  return owner(e.stream, e.id) == e.consumer
    and redis.call('HGET', e.work, 'attempt') == e.attempt
end

-- overtaken tells whether this consumer has begun another attempt at this very
-- entry: that one keeps it and finishes it.
local function overtaken(e)
  local current = redis.call('HMGET', e.work, 'attempt', 'entry', 'owner')
  return current[1] ~= e.attempt and current[2] == e.id and current[3] == e.consumer
end

-- named_still tells whether an attempt's pictures are named by the event's record
-- or, at its end, by its mark. A repeat may come after later attempts, and whoever
-- is told that it lost deletes its pictures.
local function named_still(e, mark)
  local names = (redis.call('HGET', e.kept, e.key) or '') .. ' ' .. (string.match(mark or '', '^done .*') or '')
  return string.find(' ' .. names .. ' ', ' ' .. e.attempt .. ' ', 1, true) ~= nil
end

-- buried tells from an event's mark whether it became a dead letter without having
-- been in the journal, as far as was known then.
local function buried(mark)
  return string.sub(mark or '', 1, 7) == 'buried '
end

-- settled tells from an event's mark whether it has already left the journal. One
-- that was buried and is in it all the same had outlived its mark.
local function settled(mark)
  return mark and mark ~= '' and string.sub(mark, 1, 9) ~= 'accepted ' and not buried(mark)
end

-- A message's name says what became of the message: awaited while there are only
-- edits of it, live, or gone, which is the tombstone of an unsend. Behind that
-- stand its event's key, its conversation and its number, - - 0 as long as they
-- are not known, and the keys of the events that edit it.
local function recalled(message)
  local state, key, conversation, seq, edits = string.match(
    redis.call('GET', message) or '', '^(%a+) (%S+) (%S+) (%d+)(.*)$')
  return {state = state or 'awaited', key = key or '-', conversation = conversation or '-',
    seq = seq or '0', edits = edits or ''}
end

local function remember(message, m, keep_for)
  redis.call('SET', message, table.concat({m.state, m.key, m.conversation, m.seq}, ' ') .. m.edits, 'PX', keep_for)
end

-- unsent tells whether a message's name bears the tombstone of an unsend.
local function unsent(message)
  return string.sub(redis.call('GET', message) or '', 1, 4) == 'gone'
end

-- Who was forgotten, by when, and their conversations are in a sorted set of the
-- queue's, of which the key is made of another's name. A key of another type fails
-- when it is read, which is before anything is written.
local function forgotten_of(key)
  return string.match(key, '^(.-}:)') .. 'forgotten'
end

-- was_forgotten tells whether what somebody said at some time, which stands in a text
-- of party and time, is to have no effect. It may be empty.
local function was_forgotten(key, said)
  local party, at = string.match(said, '^(%x+) (%d+)$')
  local since = party and redis.call('ZSCORE', forgotten_of(key), party)
  return since and tonumber(at) <= tonumber(since)
end

-- over leaves a party without an open conversation. The next one names the one that
-- ends here as that before it.
local function over(conv, conversation, prev_for)
  if prev_for == 0 then return redis.call('DEL', conv) end
  redis.call('HDEL', conv, 'id', 'seq', 'last')
  redis.call('HSET', conv, 'prev', conversation)
  redis.call('PEXPIRE', conv, prev_for)
end

-- drop takes an entry out of its stream.
local function drop(stream, id)
  redis.call('XACK', stream, 'workers', id)
  redis.call('XDEL', stream, id)
end

-- enter puts an entry without photos at the end of the journal.
local function enter(inbox, key, r)
  redis.call('XADD', inbox, '*', 'v', 1, 'key', key, 'conv', r.conversation,
    'seq', r.seq, 'at', r.at, 'tries', r.tries, 'payload', r.payload)
end

-- written is a record: a line of version, conversation, number, when it was
-- accepted, tries and, of a message with photos, lane; and then the payload.
local function written(r)
  return table.concat({1, r.conversation, r.seq, r.at, r.tries, r.lane ~= '' and r.lane or nil}, ' ')
    .. '\n' .. r.payload
end

-- newer tells whether a newer release wrote a record, which is not to be read then:
-- the version stands first.
local function newer(record)
  local version = tonumber(string.match(record, '^(%d+)[ \n]'))
  return version and version > 1
end

-- parsed reads what written wrote, or returns nil if a newer release wrote it.
local function parsed(record)
  local head = string.find(record, '\n', 1, true) or 0
  local conversation, seq, at, tries, lane = string.match(
    string.sub(record, 1, head), '^1 (%x+) (%d+) (%d+) (%d+) ?(%x*)\n$')
  if not conversation then return end
  return {conversation = conversation, seq = seq, at = at, tries = tries, lane = lane,
    payload = string.sub(record, head + 1)}
end

-- stand puts a message with photos at the end of their stream.
local function stand(p, lane, key)
  local _, window = laned(p.lanes, lane)
  redis.call('HSET', window, key, redis.call('XADD', p.photos, '*', 'v', 1, 'key', key, 'lane', lane))
  redis.call('SADD', p.lanes, lane)
end

-- admit fills a lane's window from its line. Who has no record any more was
-- unsent while it waited, and is passed over: most of them at once, because Redis
-- does nothing else meanwhile, and a field of the counts tells due to go on. It
-- returns how many were passed over.
local function admit(p, lane, most)
  local line, window = laned(p.lanes, lane)
  local passed = 0
  while redis.call('HLEN', window) < p.most do
    if passed >= most then
      redis.call('HSET', counts_of(p.lanes), 'stopped', 1)
      return passed
    end
    local first = redis.call('LPOP', line)
    if not first then
      if redis.call('EXISTS', window) == 0 then redis.call('SREM', p.lanes, lane) end
      return passed
    end
    local key = string.match(first, '^%x+')
    if key and redis.call('HEXISTS', p.data, key) == 1 and redis.call('HEXISTS', window, key) == 0 then
      stand(p, lane, key)
    else
      passed = passed + 1
    end
  end
  return passed
end

-- passed_at_once is how many one event's script passes over in its lane.
local passed_at_once = 100

-- queue_up puts a message with photos into its lane's window, or in its line
-- where the window is full or others wait.
local function queue_up(p, lane, key, at)
  local line, window = laned(p.lanes, lane)
  if redis.call('EXISTS', line) == 0 and redis.call('HLEN', window) < p.most then
    return stand(p, lane, key)
  end
  redis.call('RPUSH', line, key .. ' ' .. at)
  redis.call('SADD', p.lanes, lane)
  admit(p, lane, passed_at_once)
end

-- depart takes a message out of its lane's window, and lets the next one in.
local function depart(p, lane, key)
  if lane == '' then return end
  local _, window = laned(p.lanes, lane)
  redis.call('HDEL', window, key)
  admit(p, lane, passed_at_once)
end

-- trail is what stays in an event's mark behind its outcome: if it was told its
-- entry in the agents' queue, with commas before those of earlier lives; the
-- attempts that were kept; and its digest.
local function trail(e, key, mark)
  local entry = string.match(redis.call('HGET', e.told, key) or '', '%S+$')
  local kept, digest = redis.call('HGET', e.kept, key), string.match(mark or '', ' #%x+$')
  local rest = (entry or kept) and ' ' .. (entry or '-') or ''
  return rest .. (kept and ' ' .. kept or '') .. (digest or '')
end

-- forget removes what the journal keeps of a message with photos, wherever it
-- stands, and lets the next of its lane in.
local function forget(p, lane, key)
  if lane == '' then return end
  local gone = redis.call('HDEL', p.data, key)
  tally(p.lanes, 'finished', gone)
  tally_lane(p.lanes, 'finished', lane, gone)
  redis.call('ZREM', p.promised, key)
  redis.call('HDEL', p.told, key)
  redis.call('HDEL', p.kept, key)
  depart(p, lane, key)
end

-- finish takes an entry out of the journal for good.
local function finish(e)
  drop(e.stream, e.id)
  if e.lane == '' then tally(e.lanes, 'finished', 1) end
  forget(e, e.lane, e.key)
end

-- withdraw ends an entry whose message has been unsent. lost is an attempt whose
-- end nobody knows, or -.
local function withdraw(e, lost)
  local mark = 'withdrawn ' .. e.attempt .. ' ' .. lost .. trail(e, e.key, redis.call('GET', e.seen))
  finish(e)
  redis.call('DEL', e.work)
  redis.call('SET', e.seen, mark, 'PX', e.keep_for)
end

-- The dead letters of a queue are a sorted set of events by the time of death,
-- and a hash of what is kept of each. Its field bytes is what those take up
-- together that have died since the time in its field counted: older ones were
-- written by a release that did not count, until expire has counted them.

-- counted_bytes is what a letter has added to that.
local function counted_bytes(dead, letters, key)
  local died, since = redis.call('ZSCORE', dead, key), redis.call('HGET', letters, 'counted')
  if not (died and since and tonumber(died) >= tonumber(since)) then return 0 end
  return redis.call('HSTRLEN', letters, key)
end

-- count_letters begins to count, unless that has begun.
local function count_letters(dead, letters)
  if redis.call('HEXISTS', letters, 'counted') == 1 then return end
  local since = redis.call('ZCARD', dead) == 0 and '0' or whole(now())
  redis.call('HSET', letters, 'bytes', 0, 'counted', since)
end

local function keep_letter(dead, letters, key, letter)
  count_letters(dead, letters)
  redis.call('HINCRBY', letters, 'bytes', #letter - counted_bytes(dead, letters, key))
  redis.call('HSET', letters, key, letter)
  redis.call('ZADD', dead, whole(now()), key)
end

-- forget_letter removes a dead letter, and returns 1 if it was there. The last
-- one takes the count with it, so that a wrong one does not last for ever.
local function forget_letter(dead, letters, key)
  local bytes = counted_bytes(dead, letters, key)
  local held = redis.call('HDEL', letters, key) + redis.call('ZREM', dead, key)
  if held == 0 then return 0 end
  if redis.call('ZCARD', dead) == 0 then
    redis.call('HDEL', letters, 'bytes', 'counted')
  elseif bytes > 0 and redis.call('HINCRBY', letters, 'bytes', -bytes) < 0 then
    redis.call('HSET', letters, 'bytes', 0)
  end
  return 1
end

-- trim_letters removes the oldest letters, limit of them at most, while all
-- together take up more bytes than most, and returns how many.
local function trim_letters(dead, letters, most, limit)
  local removed = 0
  while removed < limit and tonumber(redis.call('HGET', letters, 'bytes') or 0) > most do
    local oldest = redis.call('ZRANGE', dead, 0, 0)[1]
    if not oldest then break end
    removed = removed + forget_letter(dead, letters, oldest)
  end
  return removed
end

-- A message to a consumer is a line of fields and then its payload: version, key,
-- state, tries, parts sent, the attempt that has it, the state before that, and
-- the last attempt that gave it back.
local function pack(m)
  return table.concat({1, m.key, m.state, whole(m.tries), whole(m.part), m.attempt, m.before, m.last}, ' ')
    .. '\n' .. m.payload
end

-- unpacked reads what pack wrote, or returns nil if a newer release wrote it.
local function unpacked(record)
  local head = string.find(record, '\n', 1, true) or 0
  local key, state, tries, part, attempt, before, last = string.match(
    string.sub(record, 1, head), '^1 (%x+) (%a+) (%d+) (%d+) (%S+) (%a+) (%S+)\n$')
  if not key then return end
  return {key = key, state = state, tries = tonumber(tries), part = tonumber(part),
    attempt = attempt, before = before, last = last, payload = string.sub(record, head + 1)}
end

-- post puts a message to a consumer behind those of the same conversation, which
-- is due at once unless it is being seen to.
local function post(outgoing, say, told, member, key, payload, keep_for)
  redis.call('RPUSH', say, pack({key = key, state = 'waiting', tries = 0, part = 0,
    attempt = '-', before = 'waiting', last = '-', payload = payload}))
  redis.call('ZADD', outgoing, 'NX', whole(now()), member)
  redis.call('SET', told, 'waiting', 'PX', keep_for)
end

