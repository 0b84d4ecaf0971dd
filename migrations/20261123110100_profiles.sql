-- What npm profile sets beside the mail address.
alter table accounts
    add column fullname text,
    add column homepage text,
    add column github text,
    add column twitter text,
    add column freenode text;
