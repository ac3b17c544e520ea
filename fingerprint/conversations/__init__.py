"""Who said what to whom: facts derived from columns, without judgement and reading nothing but the recording."""
