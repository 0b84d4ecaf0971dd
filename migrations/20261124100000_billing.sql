-- What a payment service knows of those who pay. The flag of an account stays where decisions read it: in accounts.

-- The account as the service knows it, and when the service is to be asked next how it stands. Every reason to ask, and
-- every asking, takes a number: only what was asked last is believed.
create table billing_customers (
    account_id bigint primary key references accounts (id) on delete cascade,
    customer text not null constraint billing_customers_customer_key unique,
    created_at timestamptz not null,
    turn bigint not null default 0,
    applied bigint not null default 0,
    failures integer not null default 0,
    due_at timestamptz not null
);

create index billing_customers_due_at_idx on billing_customers (due_at);

-- The one subscription that counts for an account, as it was when the service was asked last.
create table billing_subscriptions (
    account_id bigint primary key references accounts (id) on delete cascade,
    subscription text not null,
    status text not null,
    price text not null,
    seats bigint not null,
    seat_amount bigint,
    currency text not null,
    billing_interval text not null,
    period_end timestamptz,
    paid_through timestamptz,
    cancels_at timestamptz,
    ended_at timestamptz,
    updated_at timestamptz not null
);

create table billing_invoices (
    invoice text primary key,
    account_id bigint not null references accounts (id) on delete cascade,
    number text not null,
    issued_at timestamptz not null,
    amount bigint not null,
    currency text not null,
    status text not null,
    url text
);

create index billing_invoices_account_id_idx on billing_invoices (account_id, issued_at desc);

-- Events that were heard; one that comes again changes nothing.
create table billing_events (
    event text primary key,
    kind text not null,
    created_at timestamptz not null,
    received_at timestamptz not null
);

create index billing_events_received_at_idx on billing_events (received_at);

-- An administrator's word over the service's, until it ends or is taken back.
create table billing_overrides (
    account_id bigint primary key references accounts (id) on delete cascade,
    set_by text not null,
    set_at timestamptz not null,
    ends_at timestamptz
);

-- Seats follow the members of an organization: whoever comes or goes is a reason to ask, in the same transaction.
create function billing_follow_members() returns trigger
language plpgsql as $$
begin
    update billing_customers
    set turn = turn + 1, due_at = 'epoch'
    where account_id = coalesce(new.organization_id, old.organization_id);
    return null;
end
$$;

create trigger organization_members_billing
after insert or delete on organization_members
for each row execute function billing_follow_members();
