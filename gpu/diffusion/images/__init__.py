"""Operations on pictures that several tasks share."""
