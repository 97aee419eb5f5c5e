"""Looking, applying and undoing whole documents: transactions, their journals, originals, records, the lock and the
log.
"""
