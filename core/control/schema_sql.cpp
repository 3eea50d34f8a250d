// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/control/schema_sql.h"

namespace tealdeck {

// The protocol of a switch, server side. One row in tealdeck.side says what this database is allowed to be:
//
//   primary  --fence-->  fenced  --follow-->  replica  --receive-->  received  --open-->  primary
//                        fenced  --reopen-->  primary                received  --unreceive-->  replica
//
// Every function checks role and generation (the number of finished switches) and so cannot act twice or out of turn. Databases of a
// deployment are fenced and received all, before the first of them is opened.
const char* const CONTROL_SCHEMA_SQL = R"SQL(
create schema if not exists tealdeck;
create schema if not exists tealdeck_sync;
revoke all on schema tealdeck, tealdeck_sync from public;

create table if not exists tealdeck_sync.marker(
  id int primary key, token text, sequences jsonb, at timestamptz not null default clock_timestamp());

create table if not exists tealdeck.side(
  id int primary key default 1 check (id = 1),
  deployment text not null,
  side text not null check (side in ('blue', 'green')),
  role text not null check (role in ('primary', 'fenced', 'replica', 'received')),
  generation bigint not null default 0,
  token text,
  lsn pg_lsn,
  changed_at timestamptz not null default clock_timestamp());

create table if not exists tealdeck.deployment(
  id text primary key,
  epoch bigint not null,
  holder text not null,
  phase text not null,
  plan_sha256 text not null,
  recording_id text not null,
  head_hash text not null,
  info jsonb not null default '{}',
  updated_at timestamptz not null default clock_timestamp());

create table if not exists tealdeck.journal(
  seq bigint generated always as identity primary key,
  deployment text not null,
  epoch bigint not null,
  step text not null,
  state text not null,
  detail jsonb not null default '{}',
  at timestamptz not null default clock_timestamp());

create table if not exists tealdeck.saved(
  key text primary key,
  value jsonb not null,
  at timestamptz not null default clock_timestamp());

-- GREEN: parts of tables that were copied, written in the transactions that copied them. The snapshot is where the slot began.
create table if not exists tealdeck.copied(
  relation text not null,
  part int not null,
  parts int not null,
  snapshot text not null,
  rows bigint not null,
  at timestamptz not null default clock_timestamp(),
  primary key (relation, part));

-- What the sequences handed out last; never called ones are not listed (their exact state is copied beforehand).
create or replace function tealdeck.sequence_values() returns jsonb language sql volatile set search_path = pg_catalog as $f$
  select coalesce(jsonb_object_agg(format('%I.%I', n.nspname, c.relname), pg_sequence_last_value(s.seqrelid)), '{}')
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
   where n.nspname not in ('tealdeck', 'tealdeck_sync') and c.relpersistence = 'p' and pg_sequence_last_value(s.seqrelid) is not null
$f$;

-- The exact state of every sequence: {"name": {"last": n, "called": bool}}.
create or replace function tealdeck.sequence_states() returns jsonb language plpgsql volatile set search_path = pg_catalog as $f$
declare s record; v bigint; c boolean; result jsonb := '{}';
begin
  for s in select format('%I.%I', n.nspname, k.relname) as name from pg_class k join pg_namespace n on n.oid = k.relnamespace
            where k.relkind = 'S' and k.relpersistence = 'p' and n.nspname not in ('tealdeck', 'tealdeck_sync') loop
    execute 'select last_value, is_called from ' || s.name into v, c;
    result := result || jsonb_build_object(s.name, jsonb_build_object('last', v, 'called', c));
  end loop;
  return result;
end $f$;

-- Brings the sequences here to at least the given states plus a gap of increments, never back. Returns how many were set. The gap takes at
-- most one percent of what a sequence has left; cycling sequences get the exact value. With the gap the fence finds nothing left to do.
create or replace function tealdeck.advance_sequences(states jsonb, gap bigint) returns int language plpgsql volatile set search_path = pg_catalog as $f$
declare e record; q record; mine bigint; called boolean; want bigint; n int := 0;
begin
  for e in select key, (value->>'last')::bigint as last, (value->>'called')::boolean as called from jsonb_each(states) loop
    select * into q from pg_sequence where seqrelid = to_regclass(e.key);
    continue when not found;
    execute 'select last_value, is_called from ' || e.key into mine, called;
    if not e.called then
      if not called and mine is distinct from e.last then
        perform setval(e.key::regclass, e.last, false); n := n + 1;
      end if;
      continue;
    end if;
    want := e.last;
    if not q.seqcycle then
      want := e.last + q.seqincrement * least(gap, floor((case when q.seqincrement > 0 then q.seqmax else q.seqmin end - e.last::numeric) / q.seqincrement / 100))::bigint;
    end if;
    -- Far enough already: half a gap above what is needed saves a jump at each repetition.
    continue when called and not q.seqcycle and ((q.seqincrement > 0 and mine >= (e.last + want) / 2 + 1) or (q.seqincrement < 0 and mine <= (e.last + want) / 2 - 1));
    continue when called and mine = want;
    perform setval(e.key::regclass, want, true); n := n + 1;
  end loop;
  return n;
end $f$;

-- Who may connect, as a list of {"grantee", "grantable"}; "" is PUBLIC.
create or replace function tealdeck.connect_grants() returns jsonb language sql stable set search_path = pg_catalog as $f$
  select coalesce(jsonb_agg(jsonb_build_object('grantee', coalesce(r.rolname, ''), 'grantable', x.is_grantable)), '[]')
    from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x left join pg_roles r on r.oid = x.grantee
   where d.datname = current_database() and x.privilege_type = 'CONNECT'
$f$;

create or replace function tealdeck.save_once(k text, v jsonb) returns void language sql volatile set search_path = pg_catalog as $f$
  insert into tealdeck.saved(key, value) values (k, v) on conflict (key) do nothing
$f$;

-- Superusers pass every CONNECT privilege, so the others of them lose LOGIN. Roles belong to the cluster: called in the control database
-- only, a moment before the pause; their sessions are ended by the fence like everyone's.
create or replace function tealdeck.close_superusers(keep text[]) returns void language plpgsql volatile set search_path = pg_catalog as $f$
declare r record;
begin
  perform tealdeck.save_once('superusers', coalesce((select to_jsonb(array_agg(rolname)) from pg_roles
    where rolsuper and rolcanlogin and rolname <> current_user and rolname <> all (keep)), '[]'));
  for r in select rolname from pg_roles where rolsuper and rolcanlogin and rolname <> current_user and rolname <> all (keep) loop
    execute format('alter role %I nologin', r.rolname);
  end loop;
end $f$;

-- Takes the right to log in to this database from everyone but the kept roles; sets the read-only default as a second layer. The exact
-- prior state is saved first, in the same transaction.
create or replace function tealdeck.close_logins(keep text[]) returns void language plpgsql volatile set search_path = pg_catalog as $f$
declare g record; d name := current_database();
begin
  perform tealdeck.save_once('connect', tealdeck.connect_grants());
  perform tealdeck.save_once('read_only', coalesce((select to_jsonb(array_agg(c)) from pg_db_role_setting s join pg_database b on b.oid = s.setdatabase,
    unnest(s.setconfig) c where b.datname = d and s.setrole = 0 and c like 'default_transaction_read_only=%'), '[]'));
  for g in select distinct coalesce(r.rolname, '') as grantee from pg_database b, aclexplode(coalesce(b.datacl, acldefault('d', b.datdba))) x
             left join pg_roles r on r.oid = x.grantee where b.datname = d and x.privilege_type = 'CONNECT' loop
    continue when g.grantee = any (keep);
    execute format('revoke connect on database %I from %s cascade', d, case when g.grantee = '' then 'public' else format('%I', g.grantee) end);
  end loop;
  for g in select unnest(keep) as role loop
    if exists (select from pg_roles where rolname = g.role) then
      execute format('grant connect on database %I to %I', d, g.role);
    end if;
  end loop;
  execute format('alter database %I set default_transaction_read_only = on', d);
end $f$;

-- Gives back exactly what close_logins and close_superusers saved.
create or replace function tealdeck.open_logins() returns void language plpgsql volatile set search_path = pg_catalog as $f$
declare g record; d name := current_database(); saved jsonb;
begin
  for g in select jsonb_array_elements_text(value) as role from tealdeck.saved where key = 'superusers' loop
    if exists (select from pg_roles where rolname = g.role and not rolcanlogin) then
      execute format('alter role %I login', g.role);
    end if;
  end loop;
  delete from tealdeck.saved where key = 'superusers';
  select value into saved from tealdeck.saved where key = 'connect';
  if saved is null then return; end if;
  for g in select distinct coalesce(r.rolname, '') as grantee from pg_database b, aclexplode(coalesce(b.datacl, acldefault('d', b.datdba))) x
             left join pg_roles r on r.oid = x.grantee where b.datname = d and x.privilege_type = 'CONNECT'
              and not exists (select from jsonb_array_elements(saved) e where e->>'grantee' = coalesce(r.rolname, '')) loop
    execute format('revoke connect on database %I from %s cascade', d, case when g.grantee = '' then 'public' else format('%I', g.grantee) end);
  end loop;
  for g in select value->>'grantee' as grantee, (value->>'grantable')::boolean as grantable from jsonb_array_elements(saved) loop
    if g.grantee = '' then
      execute format('grant connect on database %I to public', d);
    elsif exists (select from pg_roles where rolname = g.grantee) then
      execute format('grant connect on database %I to %I%s', d, g.grantee, case when g.grantable then ' with grant option' else '' end);
    end if;
  end loop;
  execute format('alter database %I reset default_transaction_read_only', d);
  for g in select split_part(jsonb_array_elements_text(value), '=', 2) as setting from tealdeck.saved where key = 'read_only' loop
    execute format('alter database %I set default_transaction_read_only = %L', d, g.setting);
  end loop;
  delete from tealdeck.saved where key in ('connect', 'read_only');
end $f$;

-- Sessions of others in this database.
create or replace function tealdeck.foreign_sessions(own int[]) returns setof int language sql volatile set search_path = pg_catalog as $f$
  select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() and pid <> all (own)
$f$;

create or replace function tealdeck.put_marker(which int, tok text, seqs jsonb) returns void language sql volatile set search_path = pg_catalog as $f$
  insert into tealdeck_sync.marker(id, token, sequences, at) values (which, tok, seqs, clock_timestamp())
  on conflict (id) do update set token = excluded.token, sequences = excluded.sequences, at = excluded.at
$f$;

-- SOURCE, after close_logins has committed. Ends foreign sessions (those in a transaction after drain_ms of patience), proves twice that none is left, and
-- writes the marker as the last row of this database's life as primary.
create or replace function tealdeck.fence(tok text, gen bigint, drain_ms int, kill_ms int, own int[], dry boolean) returns jsonb
language plpgsql volatile set search_path = pg_catalog as $f$
declare n int; t0 timestamptz := clock_timestamp(); quiet int := 0; ended int := 0; seqs jsonb; who jsonb;
begin
  if not dry then
    update tealdeck.side set role = 'fenced', token = tok, changed_at = clock_timestamp() where role = 'primary' and generation = gen;
    if not found then raise exception 'tealdeck: this database is not primary in generation %', gen using errcode = '55000'; end if;
    -- Somebody who was replaced may have opened them again since close_logins committed; from here on the row's lock keeps him out.
    if not exists (select from tealdeck.saved where key = 'connect') then
      raise exception 'tealdeck: the logins are open again' using errcode = '55000';
    end if;
  end if;
  perform set_config('synchronous_commit', 'on', true);
  loop
    perform pg_stat_clear_snapshot();
    select count(*) into n from tealdeck.foreign_sessions(own);
    quiet := case when n = 0 then quiet + 1 else 0 end;
    exit when quiet >= 2 or dry;
    if n > 0 and clock_timestamp() - t0 >= make_interval(secs => drain_ms / 1000.0) then
      who := coalesce(who, (select jsonb_agg(distinct concat_ws(' as ', nullif(application_name, ''), usename)) from pg_stat_activity
                             where pid in (select tealdeck.foreign_sessions(own))));
      perform pg_terminate_backend(p) from tealdeck.foreign_sessions(own) p;
      ended := greatest(ended, n);
    elsif n > 0 then
      -- Patience is for transactions: a session between two of them would only begin the next.
      perform pg_terminate_backend(p) from tealdeck.foreign_sessions(own) p join pg_stat_activity a on a.pid = p where a.state = 'idle';
    end if;
    if clock_timestamp() - t0 > make_interval(secs => (drain_ms + kill_ms) / 1000.0) then
      raise exception 'tealdeck: % sessions do not end within % ms', n, drain_ms + kill_ms using errcode = '55000';
    end if;
    perform pg_sleep(0.0005);
  end loop;
  if exists (select from pg_prepared_xacts where database = current_database()) then
    raise exception 'tealdeck: prepared transactions exist' using errcode = '55000';
  end if;
  seqs := tealdeck.sequence_values();
  if not dry then
    perform tealdeck.put_marker(1, tok, seqs);
    -- What is written to published tables from here on came through the fence.
    update tealdeck.side set lsn = pg_current_wal_insert_lsn();
  end if;
  return jsonb_build_object('ms', round(extract(epoch from clock_timestamp() - t0)::numeric * 1000, 2), 'ended', ended, 'who', coalesce(who, '[]'), 'lsn', pg_current_wal_insert_lsn());
end $f$;

-- DESTINATION. Waits here for the marker (apply commits in the source's commit order, so everything before it is in), raises sequences whose
-- margin is gone, and commits synchronously: that flushes the whole applied tail (law 5). Opens nothing.
create or replace function tealdeck.receive(tok text, gen bigint, gap bigint, timeout_ms int, dry boolean) returns jsonb
language plpgsql volatile set search_path = pg_catalog as $f$
declare t0 timestamptz := clock_timestamp(); t1 timestamptz; seqs jsonb; n int := 0; seen text;
begin
  perform set_config('synchronous_commit', 'on', true);
  loop
    select token into seen from tealdeck_sync.marker where id = 1;
    exit when dry or seen = tok;
    if clock_timestamp() - t0 > make_interval(secs => timeout_ms / 1000.0) then
      raise exception 'tealdeck: the marker did not arrive within % ms', timeout_ms using errcode = '57014';
    end if;
    perform pg_sleep(0.0005);
  end loop;
  t1 := clock_timestamp();
  select sequences into seqs from tealdeck_sync.marker where id = 1;
  with wanted as materialized (
    select s.seqrelid::regclass as name, s.seqincrement as inc, s.seqcycle as cycles, pg_sequence_last_value(s.seqrelid) as mine, e.value::bigint as theirs,
           (e.value::numeric + s.seqincrement * case when s.seqcycle then 0 else
             least(gap, floor((case when s.seqincrement > 0 then s.seqmax else s.seqmin end - e.value::numeric) / s.seqincrement / 100)) end)::bigint as want
      from jsonb_each_text(coalesce(seqs, '{}')) e join pg_sequence s on s.seqrelid = to_regclass(e.key))
  select count(setval(name, want, true)) into n from wanted
   where not dry and (mine is null or (cycles and mine <> theirs) or (not cycles and ((inc > 0 and mine < theirs) or (inc < 0 and mine > theirs))));
  if not dry then
    update tealdeck.side set role = 'received', token = tok, changed_at = clock_timestamp() where role = 'replica' and generation = gen;
    if not found then raise exception 'tealdeck: this database is not a replica in generation %', gen using errcode = '55000'; end if;
  end if;
  return jsonb_build_object('wait_ms', round(extract(epoch from t1 - t0)::numeric * 1000, 2), 'sequences', n);
end $f$;

-- DESTINATION, when every database was received: opens this one. The WAL position read here is where its own life begins, and so where
-- the feed in the other direction starts.
create or replace function tealdeck.open(tok text, gen bigint) returns pg_lsn language plpgsql volatile set search_path = pg_catalog as $f$
declare l pg_lsn;
begin
  perform set_config('synchronous_commit', 'on', true);
  update tealdeck.side set role = 'primary', generation = gen + 1, changed_at = clock_timestamp() where role = 'received' and generation = gen and token = tok;
  if not found then raise exception 'tealdeck: this database has not received %', tok using errcode = '55000'; end if;
  perform tealdeck.open_logins();
  l := pg_current_wal_insert_lsn();
  update tealdeck.side set lsn = l;
  return l;
end $f$;

-- DESTINATION, abort: after this commits, no open of this attempt can succeed. False: it was opened already, there is only forward.
create or replace function tealdeck.unreceive(gen bigint) returns boolean language plpgsql volatile set search_path = pg_catalog as $f$
begin
  perform set_config('synchronous_commit', 'on', true);
  update tealdeck.side set role = 'replica', token = null, changed_at = clock_timestamp() where role in ('received', 'replica') and generation = gen;
  return found;
end $f$;

-- SOURCE, abort, when every destination database is proven not open: writes are allowed again. The marker's token is spent.
create or replace function tealdeck.reopen(gen bigint) returns boolean language plpgsql volatile set search_path = pg_catalog as $f$
begin
  perform set_config('synchronous_commit', 'on', true);
  update tealdeck.side set role = 'primary', token = null, changed_at = clock_timestamp() where role in ('fenced', 'primary') and generation = gen;
  if not found then return false; end if;
  update tealdeck_sync.marker set token = 'aborted' where id = 1;
  perform tealdeck.open_logins();
  return true;
end $f$;

-- FORMER SOURCE, after the switch: follows from now on. Readers may connect again.
create or replace function tealdeck.follow(gen bigint, readers text[]) returns boolean language plpgsql volatile set search_path = pg_catalog as $f$
declare r text;
begin
  update tealdeck.side set role = 'replica', generation = gen + 1, changed_at = clock_timestamp() where role = 'fenced' and generation = gen;
  if not found then return false; end if;
  foreach r in array readers loop
    if exists (select from pg_roles where rolname = r) then
      execute format('grant connect on database %I to %I', current_database(), r);
    end if;
  end loop;
  return true;
end $f$;
)SQL";

} // namespace tealdeck
