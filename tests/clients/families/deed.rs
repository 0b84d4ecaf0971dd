//! What families have words for.

/// Something that one can want of a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed<'a> {
    WhoAmI,
    LogOut,
    Ping,
    Doctor,
    /// The package in the folder.
    Publish {
        access: Option<&'a str>,
        tag: Option<&'a str>,
    },
    /// All packages of the folder's workspace at once.
    PublishBatch,
    /// With a bundle of provenance from a file.
    PublishWithProvenance,
    /// Into the project of the folder.
    Add(&'a str),
    /// What the lock file says, and nothing else.
    InstallFrozen,
    Update,
    /// Prints, among other things, the newer version; most fail where there is one.
    Outdated,
    /// Prints one field.
    View {
        package: &'a str,
        field: &'a str,
    },
    /// Brings the file of a published package into the folder.
    PackPublished(&'a str),
    /// Fetches a package and runs its program.
    Run {
        package: &'a str,
        program: &'a str,
    },
    /// Prints what differs between two versions.
    Diff {
        package: &'a str,
        old: &'a str,
        new: &'a str,
    },
    ListTags(&'a str),
    AddTag {
        package: &'a str,
        version: &'a str,
        tag: &'a str,
    },
    RemoveTag {
        package: &'a str,
        tag: &'a str,
    },
    Deprecate {
        spec: &'a str,
        message: &'a str,
    },
    Undeprecate(&'a str),
    UnpublishVersion(&'a str),
    UnpublishPackage(&'a str),
    ListOwners(&'a str),
    AddOwner {
        package: &'a str,
        user: &'a str,
    },
    RemoveOwner {
        package: &'a str,
        user: &'a str,
    },
    Star(&'a str),
    Unstar(&'a str),
    ListStars,
    SetPublic(&'a str),
    SetRestricted(&'a str),
    GetStatus(&'a str),
    SetSecondFactor(&'a str),
    ListCollaborators(&'a str),
    /// What a user may see of an account's packages.
    ListPackages(&'a str),
    ListTeamPackages {
        team: &'a str,
    },
    Grant {
        permission: &'a str,
        team: &'a str,
        package: &'a str,
    },
    Revoke {
        team: &'a str,
        package: &'a str,
    },
    /// Teams are named `organization:team`.
    CreateTeam(&'a str),
    DestroyTeam(&'a str),
    ListTeams(&'a str),
    AddToTeam {
        team: &'a str,
        user: &'a str,
    },
    RemoveFromTeam {
        team: &'a str,
        user: &'a str,
    },
    ListTeam(&'a str),
    SetMember {
        organization: &'a str,
        user: &'a str,
        role: &'a str,
    },
    RemoveMember {
        organization: &'a str,
        user: &'a str,
    },
    ListMembers(&'a str),
    ListTokens,
    /// Asks for the password.
    CreateToken,
    RevokeToken(&'a str),
    GetProfile,
    SetProfile {
        key: &'a str,
        value: &'a str,
    },
    /// Asks for the password, and for a code of the new authenticator.
    EnableSecondFactor,
    /// Asks for the password, and for the code if it is not among the words.
    DisableSecondFactor {
        code: &'a str,
    },
    Search(&'a str),
    Audit,
    AuditSignatures,
    StagePublish,
    /// With `--otp`.
    PublishWithCode(&'a str),
    /// At a terminal, where a client asks for the code.
    PublishAndBeAsked,
    /// At a terminal, where a client names a page to go to.
    PublishAndBeSentToAPage,
    StageList(&'a str),
    StageView(&'a str),
    /// Brings the file into the folder.
    StageDownload(&'a str),
    StageApprove {
        id: &'a str,
        code: &'a str,
    },
    StageReject {
        id: &'a str,
        code: &'a str,
    },
    AddHook {
        package: &'a str,
        address: &'a str,
        secret: &'a str,
    },
    ListHooks,
    RemoveHook(&'a str),
    TrustList {
        package: &'a str,
        code: &'a str,
    },
    TrustGithub {
        package: &'a str,
        repository: &'a str,
        code: &'a str,
    },
    TrustGitlab {
        package: &'a str,
        project: &'a str,
        code: &'a str,
    },
    /// Organization, project and pipeline definition have one id.
    TrustCircleci {
        package: &'a str,
        id: &'a str,
        repository: &'a str,
        code: &'a str,
    },
    TrustRevoke {
        package: &'a str,
        id: &'a str,
        code: &'a str,
    },
}
