"""What the server runs as one step, on its own clock. Numbers travel as text: Redis cuts a script's to integers."""

# A full bucket and a missing one are the same, so the key may go once the bucket would be full. A clock set back gives
# no tokens, and the count goes on from there.
TAKE = """
local amount, capacity, rate = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local seen = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(seen[1] or capacity), tonumber(seen[2] or now)
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
if tokens < amount then
  return string.format('%.6f', math.ceil((amount - tokens) / rate * 1000000) / 1000000)
end
tokens = tokens - amount
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', tokens), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((capacity - tokens) / rate * 1000) + 1000)
return '0'
"""

# Decision 21 says why each of these is what it is.
# `state`: tokens of both buckets as of `at`, until when the limit is `closed`, and the `virtual` time of the turns.
# `line`: who waits, by call. `places`: calls under way, by when they are held to be over. `served`: up to which virtual
# time each user was served. `booked`: when the last of a user's calls comes back that were told to. `recent`: units of
# the last minute, by half second.
ADMIT = """
local state, line, places, served, booked, recent = unpack(KEYS)
local id, user, units, patience = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local calls, quota, most = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local place, every = tonumber(ARGV[8]), tonumber(ARGV[9])
local REFILL, SPARE, LATE, FORGOTTEN, MINUTE, FARTHEST, WEEK = 0.98, 0.01, 0.25, 10, 61, 300, 604800
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000

redis.call('ZREMRANGEBYSCORE', places, '-inf', now)
if redis.call('ZSCORE', places, id) then
  redis.call('ZADD', places, now + place, id)
  return '0'
end

local seen = redis.call('HMGET', state, 'calls', 'units', 'at', 'closed', 'virtual')
local past = math.max(0, now - tonumber(seen[3] or now))
local closed, virtual = tonumber(seen[4] or 0), tonumber(seen[5] or 0)
local function filled(tokens, limit, one)
  return math.min(one + SPARE * limit, tonumber(tokens or 0) + past * REFILL * limit / 60)
end
local calls_left, units_left = filled(seen[1], calls, 1), filled(seen[2], quota, 0)
local cost = math.max(calls > 0 and 60 / calls or 0, quota > 0 and 60 * units / quota or 0)
if cost == 0 then cost = 0.05 end

local mine = {id = id, user = user, since = now, units = units, cost = cost}
local lines, users = {}, 0
local function enter(one)
  if not lines[one.user] then
    lines[one.user] = {}
    users = users + 1
  end
  table.insert(lines[one.user], one)
end
local waiting = redis.call('HGETALL', line)
for i = 1, #waiting, 2 do
  local one = cjson.decode(waiting[i + 1])
  one.id = waiting[i]
  if one.id == id then
    mine.since = one.since
  elseif now > one.due + FORGOTTEN then
    redis.call('HDEL', line, one.id)
  elseif now <= one.due + LATE then
    enter(one)
  end
end
enter(mine)
for name, theirs in pairs(lines) do
  table.sort(theirs, function(a, b) return a.since < b.since or (a.since == b.since and a.id < b.id) end)
  local tag = math.max(virtual, tonumber(redis.call('ZSCORE', served, name) or 0))
  for _, one in ipairs(theirs) do
    one.tag = tag
    tag = tag + one.cost
  end
end
local ahead, units_ahead = 0, 0
for _, theirs in pairs(lines) do
  for _, one in ipairs(theirs) do
    if one.tag < mine.tag or (one.tag == mine.tag and (one.since < mine.since or
        (one.since == mine.since and one.id < id))) then
      ahead, units_ahead = ahead + 1, units_ahead + one.units
    end
  end
end

local wait = 0
local function not_before(seconds) wait = math.max(wait, seconds) end
if closed > now then not_before(closed - now + ahead * 0.01) end
if calls > 0 then not_before((ahead + 1 - calls_left) / (REFILL * calls / 60)) end
if quota > 0 then
  local rate = REFILL * quota / 60
  not_before((units_ahead + math.min(units, SPARE * quota) - units_left) / rate)
  local bins, sent = {}, 0
  local held = redis.call('HGETALL', recent)
  for i = 1, #held, 2 do
    local at = tonumber(held[i])
    if at / 2 + MINUTE <= now then
      redis.call('HDEL', recent, held[i])
    else
      table.insert(bins, {at = at, units = tonumber(held[i + 1])})
      sent = sent + tonumber(held[i + 1])
    end
  end
  local over = sent + units_ahead + math.min(units, quota) - quota
  table.sort(bins, function(a, b) return a.at < b.at end)
  for _, bin in ipairs(bins) do
    if over <= 0.000001 * quota then break end
    over = over - bin.units
    not_before(bin.at / 2 + MINUTE - now)
  end
end
if most > 0 then
  local free = most - redis.call('ZCARD', places)
  if ahead >= free then not_before(math.min(every, 0.05 * (ahead - free + 1))) end
end

local answer = 0
if wait <= 0.000001 then
  if calls > 0 then calls_left = calls_left - 1 end
  if quota > 0 then units_left = units_left - units end
  virtual = math.max(virtual, tonumber(redis.call('ZSCORE', served, user) or 0))
  redis.call('ZADD', served, string.format('%.17g', virtual + cost), user)
  redis.call('ZREMRANGEBYSCORE', served, '-inf', string.format('%.17g', virtual))
  redis.call('ZADD', places, now + place, id)
  redis.call('HDEL', line, id)
  if quota > 0 then redis.call('HINCRBYFLOAT', recent, math.floor(now * 2), units) end
elseif wait > patience then
  redis.call('HDEL', line, id)
  local last = tonumber(redis.call('ZSCORE', booked, user) or 0)
  local turn = math.max(now + wait, math.min(last + cost * users, now + wait + FARTHEST))
  redis.call('ZADD', booked, string.format('%.6f', turn), user)
  redis.call('ZREMRANGEBYSCORE', booked, '-inf', now)
  answer = turn - now
else
  local entry = {user = user, since = mine.since, due = now + math.min(wait, every), units = units, cost = cost}
  redis.call('HSET', line, id, cjson.encode(entry))
  answer = wait
end
redis.call('HSET', state, 'calls', string.format('%.17g', calls_left), 'units', string.format('%.17g', units_left),
  'at', string.format('%.6f', now), 'virtual', string.format('%.17g', virtual))
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, WEEK) end
return answer == 0 and '0' or string.format('%.6f', math.max(answer, 0.000001))
"""

# Calls that were under way when the limit was closed are refused too, and say nothing new.
REFUSE = """
local FIRST, LONGEST, MOST, WEEK = 0.5, 60, 3600, 604800
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local seen = redis.call('HMGET', KEYS[1], 'closed', 'refusals')
local closed, refusals = tonumber(seen[1] or 0), tonumber(seen[2] or 0)
local pause = 0
if ARGV[1] ~= '' then
  pause = math.min(MOST, math.max(0, tonumber(ARGV[1])))
elseif closed <= now then
  pause = math.min(LONGEST, FIRST * 2 ^ math.min(refusals, 20)) * tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], 'refusals', refusals + 1)
end
closed = math.max(closed, now + pause)
redis.call('HSET', KEYS[1], 'closed', string.format('%.6f', closed))
redis.call('EXPIRE', KEYS[1], WEEK)
return string.format('%.6f', closed - now)
"""
