
-- What the scripts about conversations share; it stands behind common.lua before
-- those that need it.
--
-- A conversation is a hash, its head, which is also what makes the names of all its
-- other keys; a hash of its items; and a sorted set of these by position. An item
-- is a letter, its arrival, its position and then its text, which nobody reads
-- here: m is a message, l one that came late, t the tombstone of one that was unsent, r a reply, and e
-- stands for a message of which only an edit is here. Beside it stand ID/edit,
-- ID/state and ID/notice, and KEY/of, which says which item's notice has that key.

-- changes_kept is how many changes of a queue are kept at least, for those who
-- follow them.
local changes_kept = 20000

-- most_messages is how many of a consumer's messages there are in a conversation before
-- it is closed as if it were idle, so that the next one opens another: nobody fills
-- Redis by writing into the same one for ever.
local most_messages = 10000

-- positions_per_seq is how far the positions of two messages are apart.
local positions_per_seq = 1048576

-- What a head has of numbers, and of texts that decide something here.
local head_fields = {'waiting', 'message', 'opened', 'closed', 'arrived', 'read', 'version', 'gist_at',
  'state', 'agent', 'party', 'by', 'gist_id', 'partial', 'late'}
local head_numbers = 8

-- conversation names the keys of the one whose head has that name.
local function conversation(head)
  local slot, id = string.match(head, '^(.*}:)chat:(%x+)$')
  return {head = head, items = head .. ':items', order = head .. ':order', slot = slot, id = id,
    line = slot .. 'chats:waiting', over = slot .. 'chats:closed', idle = slot .. 'chats:idle',
    changes = slot .. 'changes', new = {}}
end

-- list_of is the list in which a conversation of that state is, if it is in one.
local function list_of(c, state, agent)
  if state == 'waiting' then return c.line end
  if state == 'closed' then return c.over end
  if state == 'assigned' then return c.slot .. 'chats:agent:' .. redis.sha1hex(agent) end
end

-- fields reads some of a hash; and an error's text if it is none. It costs less than
-- to ask for the type first.
local function fields(key, ...)
  local found = redis.pcall('HMGET', key, ...)
  if found.err then return found, mistyped('hash', key) or found.err end
  return found
end

-- read_head reads a head into c, and returns an error's text if one of the keys holds
-- another type, or a number is none. party is the one of which a new head would be,
-- and id the item that it is about, if there is one.
local function read_head(c, party, id)
  local head, bad = fields(c.head, unpack(head_fields))
  if not bad then c.kept, bad = fields(c.items, id or '') end
  c.kept_id = id
  bad = bad or mistyped('zset', c.order, c.line, c.over, c.idle)
    or mistyped('stream', c.changes)
  if bad then return bad end
  for i, name in ipairs(head_fields) do
    local value = head[i]
    if i > head_numbers then
      c[name] = value or ''
    elseif value and not (string.match(value, '^%d+$') and #value <= 16) then
      return 'WRONGVALUE ' .. c.head .. ' has a ' .. name .. ' that is no number'
    else
      c[name] = tonumber(value or 0)
    end
  end
  c.there = c.state ~= ''
  if not c.there then c.party = party end
  if c.party == '' then return end
  c.conv, c.of = c.slot .. 'conv:' .. c.party, c.slot .. 'chats:of:' .. c.party
  local pointer
  pointer, bad = fields(c.conv, 'id', 'prev', 'seq')
  bad = bad or mistyped('set', c.of) or c.state == 'assigned' and mistyped('zset', list_of(c, c.state, c.agent))
  if bad then return bad end
  c.open, c.pointed, c.seq = pointer[1] == c.id, pointer[2], tonumber(pointer[3] or 0) or 0
end

-- has tells whether a conversation is with an agent: '' asks for nobody, and * for
-- whomever. theirs is the answer where it is with another.
local function has(c, agent) return agent == '*' or c.agent == agent end

local function theirs(c)
  return {'theirs', c.agent, redis.call('HGET', c.head, 'agent_name') or ''}
end

-- move gives a conversation a state, and puts it into the list of it. An agent who
-- had it when it was closed is not forgotten.
local function move(c, state, agent, agent_name, score)
  local from, to = list_of(c, c.state, c.agent), list_of(c, state, agent)
  if from and from ~= to then redis.call('ZREM', from, c.id) end
  redis.call('ZADD', to, whole(score), c.id)
  c.new.state, c.new.agent, c.new.agent_name = state, agent, agent_name
end

-- leave_open puts a conversation among the closed ones, which are moved to the
-- archive after a while. The head still says who had it.
local function leave_open(c, archive_after)
  local from = list_of(c, c.state, c.agent)
  if from and from ~= c.over then redis.call('ZREM', from, c.id) end
  redis.call('ZREM', c.idle, c.id)
  redis.call('ZADD', c.over, whole(now() + archive_after), c.id)
  c.new.state, c.new.waiting = 'closed', 0
end

-- changed tells those who follow, of a conversation and perhaps of one of its items.
local function changed(c, item, gone)
  local fields = {'c', c.id}
  local function add(name, value)
    if value and value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add('i', item)
  add('a', c.new.agent or c.agent)
  add('b', c.agent)
  add('g', gone)
  redis.call('XADD', c.changes, 'MAXLEN', '~', changes_kept, '*', unpack(fields))
end

-- save writes down what is new in a head, and tells of it. A head that is made again
-- begins with a version above all that an earlier one had: by the clock.
local function save(c, item)
  c.new.version = whole(math.max(c.version + 1, c.there and 0 or now()))
  local flat = {}
  for name, value in pairs(c.new) do
    flat[#flat + 1] = name
    flat[#flat + 1] = value
  end
  redis.call('HSET', c.head, unpack(flat))
  changed(c, item)
end

-- found makes a head, of what an event tells of its conversation.
local function found(c, u)
  local n = c.new
  n.party, n.channel, n.account, n.account_id = u.party, u.channel, u.account, u.account_id
  n.consumer, n.name, n.opened, n.arrived, n.read = u.consumer, u.name, u.received, 0, 0
  if c.open then
    n.prev = c.pointed or ''
  else
    -- It has been in Redis before, as far as we know.
    n.partial, n.closed = 1, u.received
  end
  redis.call('SADD', c.of, c.id)
end

-- item returns an item's letter, arrival and position, or nothing.
local function item(c, id)
  local kept = id == c.kept_id and c.kept[1]
  if id ~= c.kept_id then kept = redis.call('HGET', c.items, id) end
  return string.match(kept or '', '^(%a) (%d+) (%d+) ')
end

local function keep_item(c, id, letter, arrival, position, text)
  redis.call('HSET', c.items, id, table.concat({letter, arrival, position, text}, ' '))
  redis.call('ZADD', c.order, position, id)
end

-- say_last notes the newest item in short.
local function say_last(c, u, from)
  if tonumber(u.position) < c.gist_at then return end
  local n = c.new
  n.gist_id, n.gist_at, n.gist_from, n.gist, n.gist_photos, n.gist_unsent = u.id, u.position, from, u.gist, u.photos, ''
end

-- Each of these does what an event does to its conversation. told is set for a
-- message that agents have heard of before.
local happen = {}

function happen.message(c, u, told)
  local letter, arrival, position = item(c, u.id)
  if letter == 't' then return end
  local archived = not c.open and (not c.there or c.partial == '1')
  if not c.there then found(c, u) end
  if letter == 'm' or letter == 'l' then
    keep_item(c, u.id, letter, arrival, position, u.text)
  elseif told and archived then
    -- Its photos are settled, and the rest of it is in the archive.
    keep_item(c, u.id, 'm', 0, u.position, u.text)
    if not c.there then leave_open(c, u.archive_after) end
  else
    local received, n = tonumber(u.received), c.new
    n.arrived = whole(c.arrived + 1)
    keep_item(c, u.id, c.open and 'm' or 'l', n.arrived, u.position, u.text)
    say_last(c, u, 'consumer')
    local newest = math.max(c.message, received)
    local since = c.waiting > 0 and math.min(c.waiting, received) or received
    n.message, n.waiting, n.name = whole(newest), whole(since), u.name ~= '' and u.name or nil
    if c.there and received < c.opened then n.opened = u.received end
    if not c.open then
      n.late = 1
      if c.closed == 0 then n.closed = u.received end
    end
    if c.state == 'assigned' then
      move(c, 'assigned', c.agent, nil, newest)
    elseif c.state ~= 'waiting' or c.waiting ~= since then
      move(c, 'waiting', '', '', since)
    end
    redis.call('ZADD', c.idle, c.arrived + 1 < most_messages and whole(now()) or 0, c.id)
  end
  save(c, u.id)
end

-- amended makes the head of a conversation that has left Redis, for an event about
-- one of its messages, and tells whether there is anything to be amended.
local function amended(c, u, letter)
  if letter then return letter ~= 't' end
  if redis.call('ZSCORE', forgotten_of(c.head), c.id) then return false end
  -- An open one that is not here, or whose message is not, is of a time at which
  -- none were kept.
  if c.there and c.partial ~= '1' or not c.there and c.open then return false end
  if not c.there then
    found(c, u)
    leave_open(c, u.archive_after)
  end
  return true
end

function happen.edit(c, u)
  local letter = item(c, u.id)
  if not amended(c, u, letter) then return end
  if not letter then keep_item(c, u.id, 'e', 0, u.position, '') end
  redis.call('HSET', c.items, u.id .. '/edit', u.text)
  if c.gist_id == u.id then c.new.gist = u.gist end
  save(c, u.id)
end

function happen.unsend(c, u)
  local letter, arrival, position = item(c, u.id)
  if not amended(c, u, letter) then return end
  keep_item(c, u.id, 't', arrival or 0, position or u.position, u.text)
  redis.call('HDEL', c.items, u.id .. '/edit', u.id .. '/notice')
  if c.gist_id == u.id then c.new.gist, c.new.gist_photos, c.new.gist_unsent = '', 0, 1 end
  save(c, u.id)
end

-- A consumer may end a conversation while messages are still on their way to it, in
-- which there is then something new.
function happen.close(c, u)
  if not c.there then return end
  local n = c.new
  if c.closed == 0 then n.closed = u.received end
  if c.by == '' then n.by = 'consumer' end
  if c.late ~= '1' and c.state ~= 'closed' then leave_open(c, u.archive_after) end
  save(c)
end

-- noted notes that an item's notice of that key waits to be sent.
local function noted(c, id, key)
  redis.call('HSET', c.items, id .. '/notice', 'waiting ' .. whole(now()), key .. '/of', id)
end

-- delivery_of returns the item, and the part of it, that tells what became of the
-- message to the consumer of that key: a reply, or a notice. What was unsent has none.
local function delivery_of(c, key)
  if not c.there then return end
  if item(c, key) == 'r' then return key, '/state' end
  local of = redis.call('HGET', c.items, key .. '/of')
  if of and redis.call('HEXISTS', c.items, of .. '/notice') == 1 then return of, '/notice' end
end

local function deliver(c, key, result, detail)
  local id, part = delivery_of(c, key)
  if not id then return end
  redis.call('HSET', c.items, id .. part, result .. ' ' .. whole(now()) .. ' ' .. detail)
  save(c, id)
end

-- update reads what an event does to its conversation: the name of its head, and
-- arguments from a place on. Nothing is done without a kind.
local function update(head, at)
  if ARGV[at + 1] == '' then return end
  local c = conversation(head)
  return c, {kind = ARGV[at + 1], party = ARGV[at + 2], id = ARGV[at + 3], position = ARGV[at + 4], text = ARGV[at + 5],
    received = ARGV[at + 6], channel = ARGV[at + 7], account = ARGV[at + 8], account_id = ARGV[at + 9],
    consumer = ARGV[at + 10], name = ARGV[at + 11], gist = ARGV[at + 12], photos = ARGV[at + 13],
    archive_after = tonumber(ARGV[at + 14])}
end

-- update_size is how many arguments update reads.
local update_size = 14
