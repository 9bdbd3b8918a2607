"""Hand calculations checked, texts audited, worksheets made and graded."""
