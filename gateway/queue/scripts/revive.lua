#!lua
-- Puts a dead letter's event back into the journal, where it came from. One whose
-- message has been unsent is removed instead. Without allow-oom, because whoever
-- asks can be told that it was not done.
-- KEYS dead, letters, seen, work, inbox, photos, data, promised, told, kept,
--      lanes, message (seen where it names none)
-- ARGV nonce, keep for, promise for (ms), entries in a window, key, conversation,
--      seq, accepted at, lane, payload, the id under which agents know its photos
--      (or empty), the attempt that died
-- Answers mine, withdrawn, told if it has reached the agents and has no photos
-- that could follow, or other if there is no such letter any more.
local dead, letters, seen, work, inbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local p = {photos = KEYS[6], data = KEYS[7], promised = KEYS[8], told = KEYS[9], kept = KEYS[10],
  lanes = KEYS[11], most = tonumber(ARGV[4])}
local message, nonce, keep_for, promise_for = KEYS[12], ARGV[1], ARGV[2], tonumber(ARGV[3])
local key, lane, told, attempt = ARGV[5], ARGV[9], ARGV[11], ARGV[12]
local r = {conversation = ARGV[6], seq = ARGV[7], at = ARGV[8], tries = 0, lane = lane, payload = ARGV[10]}

local bad = mistyped('zset', dead, p.promised) or mistyped('string', seen, message)
  or mistyped('hash', letters, work, p.data, p.told, p.kept) or uncounted(letters, 'bytes', 'counted')
  or mistyped('stream', inbox, p.photos) or mistyped('set', p.lanes) or mislaned(p.lanes, lane)
  or miscounted(p.lanes)
if bad then return redis.error_reply(bad) end

local mark = redis.call('GET', seen) or ''
local what, by = string.match(mark, '^(%a+) (%x+)')
-- This may be the repeat of a call whose event has died again since: the letter of
-- that is another, which names what this one does not know.
local head = string.match(redis.call('HGET', letters, key) or '', '^[^\n]*')
if head == '' or attempt ~= '' and not string.find(head, '"attempt":"' .. attempt .. '"', 1, true) then
  return what == 'accepted' and by == nonce and 'mine' or 'other'
end
if what == 'withdrawn' or message ~= seen and unsent(message) then
  forget_letter(dead, letters, key)
  return 'withdrawn'
end
if what == 'accepted' or redis.call('HEXISTS', p.data, key) == 1 then
  -- The event was accepted again after its mark had expired: it is in the journal.
  forget_letter(dead, letters, key)
  return 'other'
end

-- What agents have of the message: the entry with its words, those that followed
-- in an earlier life, and the attempts whose pictures they name. A mark that has
-- expired tells of none.
local digest = string.match(mark, ' #%x+$') or ''
local ended, entry, first, kept = string.match(
  string.sub(mark, 1, #mark - #digest) .. ' ', '^done (%x+) (%S+) ?(%S*) (.*)$')
if first and first ~= '' and first ~= '-' then
  entry = entry == '-' and first or first .. ',' .. entry
end
if told == '' and entry and entry ~= '-' then told = ended end
if told ~= '' and lane == '' then return 'told' end

redis.call('DEL', work)
if lane == '' then
  enter(inbox, key, r)
else
  redis.call('HSET', p.data, key, written(r))
  if told ~= '' then
    if not entry or entry == '-' then entry = '0-0' end
    redis.call('HSET', p.told, key, told .. ' ' .. entry)
    redis.call('HSET', p.kept, key, string.match((ended or attempt) .. ' ' .. (kept or ''), '^(.-) *$'))
  else
    redis.call('ZADD', p.promised, whole(now() + promise_for), key)
  end
  queue_up(p, lane, key, r.at)
  tally_lane(p.lanes, 'accepted', lane, 1)
end
tally(p.lanes, 'accepted', 1)
-- The name is another event's where this is an edit of it.
local m = message ~= seen and recalled(message)
if m and (m.key == key or m.key == '-' and not string.find(m.edits .. ' ', ' ' .. key .. ' ', 1, true)) then
  remember(message, {state = 'live', key = key, conversation = r.conversation, seq = r.seq, edits = m.edits}, keep_for)
end
forget_letter(dead, letters, key)
redis.call('SET', seen, 'accepted ' .. nonce .. ' ' .. r.conversation .. ' ' .. r.seq .. digest, 'PX', keep_for)
return 'mine'
