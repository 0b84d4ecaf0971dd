-- When somebody who was given access, and cannot use it for want of a plan, was reminded of that last.
alter table grants add column reminded_at timestamptz;

-- Reminders are told by mail, and so is to inviters who accepted. A node of the release before lets both pass.
create or replace trigger audit_events_notices after insert on audit_events
for each row
when (
    new.outcome = 'done'
    and new.action in (
        'user.password', 'second-factor.change', 'second-factor.key-add', 'second-factor.key-remove', 'token.create',
        'access.grant', 'access.remind', 'invitation.accept', 'organization.member', 'package.publish'
    )
)
execute function enqueue_notice();
