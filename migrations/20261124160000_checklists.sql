-- When a user put the checklist of their home page away.
alter table accounts add column checklist_dismissed_at timestamptz;
