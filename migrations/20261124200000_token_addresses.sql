-- From where a token was used last, for its user to recognise. Nodes of the release before note only when.
alter table tokens add column last_used_address text;
